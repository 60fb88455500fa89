/* SPDX-License-Identifier: Apache-2.0 */
/* Offers options and signals to the shells, and reads the options of a line that is not whole. */
#include "base/option-complete.h"

#include <signal.h>

#include "base/parse.h"
#include "base/str.h"

void offer_candidate(const Offer *offer, const char *candidate, const char *description) {
        if (str_after(candidate, offer->word))
                fprintf(offer->f, "%s%s%s%s%s\n", offer->before, candidate, offer->after, description ? "\t" : "", description ?: "");
}

void offer_options(const Offer *offer, const Option *const *tables) {
        for (; tables && *tables; tables++)
                for (const Option *o = *tables; o->name; o++) {
                        char name[64];

                        (void) snprintf(name, sizeof(name), "--%s", o->name);
                        if (option_is_shown(o))
                                offer_candidate(offer, name, o->help);
                }
}

void offer_signals(const Offer *offer) {
        for (int i = 1; i < SIGRTMIN; i++)
                if (signal_name(i))
                        offer_candidate(offer, signal_name(i), NULL);
}

static const Option *find(const Option *const *const *lists, const char *name, char letter) {
        const Option *o = NULL;

        for (; *lists && !o; lists++)
                o = name ? options_find(*lists, name) : options_find_letter(*lists, letter);
        return o;
}

const Option *option_of_word(const char *word, const Option *const *const *lists, const char **ret_value) {
        const Option *o = NULL;
        char name[64];

        *ret_value = NULL;
        if (word[0] != '-')
                return NULL;
        if (word[1] == '-') {
                size_t n = strcspn(word + 2, "=");

                if (n >= sizeof(name))
                        return NULL;
                (void) snprintf(name, sizeof(name), "%.*s", (int) n, word + 2);
                *ret_value = word[2 + n] ? word + 2 + n + 1 : NULL;
                return find(lists, name, 0);
        }
        for (const char *p = word + 1; *p; p++) {
                o = find(lists, NULL, *p);
                if (!o)
                        return NULL;
                if (option_takes_value(o)) {
                        *ret_value = p[1] == '=' ? p + 2 : p[1] ? p + 1 : NULL;
                        return o;
                }
        }
        return o;
}
