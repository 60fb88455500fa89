/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out --help. */
#include "cli/help.h"

#include "base/option-help.h"
#include "base/str.h"

const char *help_word_below(const char *group, const char *name) {
        if (*group) {
                name = str_after(name, group);
                if (!name || *name != ' ')
                        return NULL;
                name++;
        }
        return strchr(name, ' ') ? NULL : name;
}

static void print_verbs(FILE *f, const char *group) {
        size_t column = 0;

        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < n_verb_names; i++) {
                        const VerbName *v = &verb_names[i];
                        const char *word = help_word_below(group, v->name);

                        if (!word || v->hidden || (!v->verb && !v->heading))
                                continue;
                        if (pass == 0)
                                column = MAX(column, strlen(word) + 4);
                        else {
                                fprintf(f, "  %-*s", (int) column - 2, word);
                                help_print_wrapped(f, v->heading ?: v->verb->summary, column);
                        }
                }
}

void help_print_main(FILE *f) {
        fputs("Run containers under systemd, without a daemon and without privilege\n\n"
              "Usage:\n  sdpod [options] COMMAND\n\nCommands:\n", f);
        print_verbs(f, "");
        help_print_options(f, "Options", global_options, NULL);
}

void help_print_group(FILE *f, const VerbName *group) {
        fprintf(f, "%s\n\nUsage:\n  sdpod %s COMMAND\n\nCommands:\n", group->heading, group->name);
        print_verbs(f, group->name);
}

void help_print_verb(FILE *f, const VerbName *name) {
        const Command command = verb_command(name);

        command_print_help(f, &command);
}
