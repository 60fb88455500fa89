/* SPDX-License-Identifier: Apache-2.0 */
/* Each option of a service's main command, through the table of the verb that will read it. */
#include "cli/quadlet-judge.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "cli/verb.h"
#include "engine/auto-update.h"
#include "unit/convert.h"

typedef struct Judge {
        QuadletCheck *check;
        const Unit *unit;
        const VerbName *name;
        const char *const *words; /* of the command, NULL-terminated */
        size_t n;
} Judge;

/* "shm-size" is ShmSize: most keys have their options' names. */
static bool is_key_of(const char *key, const char *option) {
        for (; *key && *option; option++) {
                if (*option == '-')
                        continue;
                if (tolower((unsigned char) *key) != *option)
                        return false;
                key++;
        }
        return !*key && !*option;
}

/* The line that an option came from: of its key, by the flag or the name, that which has the option's value, or the end of it behind
 * a path that was made absolute; else of PodmanArgs=. */
static const UnitEntry *find_line(const Judge *j, const Option *option, const char *word, size_t n_flag, const char *value) {
        const UnitFile *file = &j->unit->file;
        const char *part = value && strchr(value, ':') ? strchr(value, ':') : value;
        const UnitEntry *found = NULL, *arguments = NULL;

        for (size_t i = 0; i < file->n_entries; i++) {
                const UnitEntry *e = file->entries + i;
                const UnitRow *row = e->kind == ENTRY_KEY && e->key != KEY_NONE ? unit_type_row(j->unit->type, e->key) : NULL;
                bool same = row && row->flag && strlen(row->flag) == n_flag && memcmp(row->flag, word, n_flag) == 0;

                if (!row)
                        continue;
                if (e->key == KEY_PodmanArgs && strstr(e->value, word))
                        arguments = e;
                if (!same && !(option && option->name && is_key_of(e->name, option->name)))
                        continue;
                if (!part || strstr(e->value, (row->prefix ? str_after(part, row->prefix) : NULL) ?: part))
                        return e;
                found = e;
        }
        return arguments ?: found;
}

/* The option's words alone, into a struct of the verb's that is dropped again; and of labels the one that means something to us. */
static int try_option(const Judge *j, const char *word, const char *value, Error *reterr) {
        const Verb *verb = j->name->verb;
        _cleanup_free_ void *target = calloc(1, MAX(verb->options_size, (size_t) 1));
        const OptionSet set = { verb->options, target };
        OptionParse parse = { .sets = &set, .n_sets = 1, .words = (char *[]){ (char *) word, (char *) value, NULL } };

        if (!target)
                return error_oom(reterr);
        if (verb->options_default)
                memcpy(target, verb->options_default, verb->options_size);
        int r = options_parse(&parse, reterr);
        options_free(verb->options, target);
        if (verb->options_done)
                verb->options_done(target);
        const char *policy = r >= 0 && parse.n_given > 0 && str_equal(parse.given[0]->name, "label")
                                     ? str_after(parse.given_values[0], AUTO_UPDATE_LABEL "=") : NULL;
        options_parse_done(&parse);
        return policy ? auto_update_check_policy(policy, reterr) : r;
}

static const Option *find_option(const Judge *j, const char *word, size_t *ret_n) {
        bool is_long = word[1] == '-';
        char name[64];

        *ret_n = is_long ? strcspn(word, "=") : 2;
        if (!is_long)
                return options_find_letter(j->name->verb->options, word[1]);
        if (*ret_n - 2 >= sizeof(name))
                return NULL;
        memcpy(name, word + 2, *ret_n - 2);
        name[*ret_n - 2] = '\0';
        return options_find(j->name->verb->options, name);
}

/* Looks at the option at `i`. Returns how many words it takes, or -ENOMEM. */
static int judge_option(const Judge *j, size_t i, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        const char *word = j->words[i], *value = NULL;
        size_t n_flag;
        const Option *option = find_option(j, word, &n_flag);
        bool separate = option && option_takes_value(option) && !word[n_flag];

        if (option && option_takes_value(option))
                value = separate ? j->words[i + 1] : word + n_flag + (word[n_flag] == '=');
        if (strpbrk(word, "%$") || (value && strpbrk(value, "%$")))
                return separate ? 2 : 1;
        int r = try_option(j, word, separate ? value : NULL, &error);
        if (r == -ENOMEM)
                return error_move(reterr, &error);
        if (r < 0) {
                _cleanup_free_ char *message = str_format("sdpod %s: %s", j->name->name, error.message ?: strerror(-r));

                quadlet_check_warn(j->check, j->unit, find_line(j, option, word, n_flag, value), message ?: "out of memory");
        }
        return separate && j->words[i + 1] ? 2 : 1;
}

static int judge_command(Judge *j, Error *reterr) {
        size_t i;

        j->name = verb_find((char *const *) j->words, &i);
        if (!j->name || !j->name->verb) {
                _cleanup_free_ char *message = str_format("cannot run 'sdpod %s': %s", j->name ? j->name->name : j->words[0],
                                                          j->name && j->name->refused ? j->name->refused : "it is not there yet");

                quadlet_check_warn(j->check, j->unit, NULL, message ?: "out of memory");
                return 0;
        }
        while (i < j->n && j->words[i][0] == '-' && j->words[i][1] && strcmp(j->words[i], "--") != 0) {
                int r = judge_option(j, i, reterr);

                if (r < 0)
                        return r;
                i += (size_t) r;
        }
        return 0;
}

int quadlet_judge(QuadletCheck *check, Error *reterr) {
        Arena arena = {};
        Convert convert = { .set = &check->set, .arena = &arena };
        _cleanup_text_ Text text = {};
        int r = 0;

        for (size_t i = 0; i < check->set.n_units && r >= 0; i++) {
                Unit *unit = check->set.units[i];

                if (unit->masked || unit->doubled || unit->aside || unit->broken)
                        continue;
                text_clear(&text);
                /* a second time: its warnings have been heard */
                check->deaf = true;
                r = unit_convert(&convert, unit, &text);
                check->deaf = false;
                words_add(&convert.argv, ""); /* becomes the end */
                if (r < 0 || convert.argv.failed)
                        r = r == -EINVAL ? 0 : error_oom(reterr);
                else {
                        convert.argv.items[convert.argv.n - 1] = NULL;
                        Judge judge = { .check = check, .unit = unit, .words = convert.argv.items, .n = convert.argv.n - 1 };
                        r = judge.n > 0 ? judge_command(&judge, reterr) : 0;
                }
        }
        unit_convert_done(&convert);
        arena_done(&arena);
        return r;
}
