/* SPDX-License-Identifier: Apache-2.0 */
/* Finds where in the grammar a half-typed command line stands, and prints what may follow. */
#include "cli/complete.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

#include "base/io.h"
#include "base/option-complete.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/help.h"
#include "cli/parse-security.h"
#include "image/store.h"
#include "quadlet/check.h"
#include "spec/container.h"
#include "spec/network.h"

typedef struct Completion {
        Offer offer;
        Invocation *invocation;
} Completion;

static void offer(const Completion *c, const char *candidate, const char *description) {
        offer_candidate(&c->offer, candidate, description);
}

static void offer_capabilities(const Completion *c) {
        offer(c, "ALL", NULL);
        for (const char *const *name = parse_capability_names; *name; name++)
                offer(c, *name, NULL);
}

/* Offers the names in a directory of the store: container and volume names are file names there. */
static void offer_store_names(const Completion *c, const char *directory) {
        const Store *store;
        DIR *dir;

        if (invocation_store(c->invocation, &store, NULL) < 0)
                return;
        int fd = openat(store->data_fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return;
        dir = fdopendir(fd);
        if (!dir) {
                (void) fd_close(fd);
                return;
        }
        for (struct dirent *entry; (entry = readdir(dir));)
                if (container_name_is_valid(entry->d_name))
                        offer(c, entry->d_name, NULL);
        (void) closedir(dir);
}

/* Full names, and the part behind the last slash, by which people call them. */
static void offer_images(const Completion *c) {
        const Store *store;
        ImageInfo *images = NULL;
        size_t n = 0;

        if (invocation_store(c->invocation, &store, NULL) < 0 || image_store_list(store, &images, &n, NULL) < 0)
                return;
        for (size_t i = 0; i < n; i++)
                for (char **name = images[i].names; name && *name; name++) {
                        offer(c, *name, NULL);
                        if (strrchr(*name, '/'))
                                offer(c, strrchr(*name, '/') + 1, NULL);
                }
        image_info_free_many(images, n);
}

static void offer_units(const Completion *c) {
        _cleanup_quadlet_check_ QuadletCheck check = {};

        if (quadlet_check_read(&check, /* judge= */ false, NULL) < 0)
                return;
        for (size_t i = 0; i < check.set.n_units; i++)
                if (!check.set.units[i]->masked)
                        offer(c, check.set.units[i]->name, NULL);
}

static void offer_verbs(const Completion *c, const char *group) {
        for (size_t i = 0; i < n_verb_names; i++) {
                const VerbName *v = &verb_names[i];
                const char *word = help_word_below(group, v->name);

                if (word && !v->hidden && (v->verb || v->heading))
                        offer(c, word, v->heading ?: v->verb->summary);
        }
}

static void offer_words(const Completion *c, const char *const *words) {
        for (; *words; words++) {
                const char *name = str_equal(*words, "container:") ? str_after(c->offer.word, *words) : NULL;
                char before[96];

                if (!name) {
                        offer(c, *words, NULL);
                        continue;
                }
                (void) snprintf(before, sizeof(before), "%s%s", c->offer.before, *words);
                Completion behind = *c;
                behind.offer.before = before;
                behind.offer.word = name;
                offer_store_names(&behind, "names");
        }
}

/* What goes on behind a colon. */
static void offer_names_with_colon(const Completion *c, const char *directory) {
        Completion colon = *c;

        colon.offer.after = ":";
        offer_store_names(&colon, directory);
}

static void offer_kind(const Completion *c, CompleteKind kind, const char *const *words) {
        switch (kind) {
        case COMPLETE_FILE:
                fprintf(c->offer.f, ":file\n");
                break;
        case COMPLETE_DIRECTORY:
                fprintf(c->offer.f, ":directory\n");
                break;
        case COMPLETE_WORDS:
                offer_words(c, words);
                break;
        case COMPLETE_SIGNAL:
                offer_signals(&c->offer);
                break;
        case COMPLETE_CAPABILITY:
                offer_capabilities(c);
                break;
        case COMPLETE_CONTAINER:
                offer_store_names(c, "names");
                break;
        case COMPLETE_IMAGE:
                offer_images(c);
                break;
        case COMPLETE_POD:
                offer_store_names(c, "pod-names");
                break;
        case COMPLETE_VOLUME:
                offer_store_names(c, "volumes");
                break;
        case COMPLETE_UNIT:
                offer_units(c);
                break;
        case COMPLETE_SECRET:
                offer_store_names(c, "secrets");
                break;
        case COMPLETE_NETWORK:
                if (words)
                        offer_words(c, words);
                offer(c, NETWORK_DEFAULT, NULL);
                offer_store_names(c, "networks");
                break;
        case COMPLETE_COMMAND:
                offer_verbs(c, "");
                break;
        case COMPLETE_COPY:
                offer_names_with_colon(c, "names");
                if (!strchr(c->offer.word, ':')) /* what is in the container is not looked up */
                        fprintf(c->offer.f, ":file\n");
                break;
        case COMPLETE_SOURCE:
                offer_names_with_colon(c, "volumes");
                fprintf(c->offer.f, ":file\n");
                break;
        default:
                break;
        }
}

/* Names are looked up where the line that is being typed would look. */
static void remember_store(const Completion *c, const Option *o, const char *value) {
        GlobalOptions *global = &c->invocation->global;

        if (str_equal(o->name, "root"))
                (void) str_replace(&global->root, value);
        else if (str_equal(o->name, "runroot"))
                (void) str_replace(&global->runroot, value);
}

/* Walks the words of one verb (or of the top, before it) up to the one being typed. Returns false when it has offered
 * all there is; true with the number of positional words, *words at the first of them (stop) or at the last word. */
static bool walk(Completion *c, char ***words, const Option *const *const *lists, bool stop, size_t *ret_arguments) {
        bool options = true;
        char **w = *words;

        *ret_arguments = 0;
        for (; w[0] && w[1]; w++) {
                const char *value;
                const Option *o;

                if (!options || w[0][0] != '-' || !w[0][1]) {
                        if (stop)
                                break;
                        (*ret_arguments)++;
                        continue;
                }
                if (str_equal(*w, "--")) {
                        options = false;
                        continue;
                }
                o = option_of_word(*w, lists, &value);
                if (o && option_takes_value(o) && !value) {
                        if (!w[2]) {
                                c->offer.word = w[1];
                                offer_kind(c, o->complete, o->words);
                                return false;
                        }
                        remember_store(c, o, *++w);
                } else if (o && value)
                        remember_store(c, o, value);
        }
        *words = w;
        if (w[0] && !w[1] && options && w[0][0] == '-') {
                const char *value;
                const Option *o = option_of_word(*w, lists, &value);
                char before[80];

                c->offer.word = *w;
                if (o && value && w[0][1] == '-') {
                        (void) snprintf(before, sizeof(before), "%.*s", (int) (value - *w), *w);
                        c->offer.before = before;
                        c->offer.word = value;
                        offer_kind(c, o->complete, o->words);
                        c->offer.before = "";
                } else
                        for (; *lists; lists++)
                                offer_options(&c->offer, *lists);
                return false;
        }
        return true;
}

static void complete_verb(Completion *c, const VerbName *name, char **words) {
        const Option *const *const lists[] = { name->verb->options ?: global_options_everywhere,
                                               global_options_everywhere, NULL };
        size_t n;

        if (!walk(c, &words, lists + (name->verb->options ? 0 : 1), name->verb->stop_at_argument, &n))
                return;
        if (!words[0] || words[1])
                return; /* behind the image: the container's own words */
        c->offer.word = words[0];
        CompleteKind kind = name->verb->complete;
        if (kind == COMPLETE_CONNECT)
                kind = n == 0 ? COMPLETE_NETWORK : COMPLETE_CONTAINER;
        if (n < name->verb->arguments_max)
                offer_kind(c, kind, NULL);
}

void complete_print(FILE *f, Invocation *invocation, char **words) {
        Completion c = { .offer = OFFER_NULL, .invocation = invocation };
        const Option *const *const lists[] = { global_options, NULL };
        const VerbName *name;
        size_t n;

        c.offer.f = f;
        if (!walk(&c, &words, lists, true, &n))
                return;
        if (!words[0] || !words[1]) {
                c.offer.word = words[0] ?: "";
                offer_verbs(&c, "");
                return;
        }
        name = verb_find(words, &n);
        /* The word being typed is not a finished one: "volume ls" without a blank behind it. */
        if (name && name->verb && words[n])
                complete_verb(&c, name, words + n);
        else if (name && name->heading && words[n] && !words[n + 1]) {
                c.offer.word = words[n];
                offer_verbs(&c, name->name);
        } else if (name && n > 1 && !words[n]) {
                char *group = strndup(name->name, (size_t) (strrchr(name->name, ' ') - name->name));

                c.offer.word = words[n - 1];
                if (group)
                        offer_verbs(&c, group);
                free(group);
        }
}
