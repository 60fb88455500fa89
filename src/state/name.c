/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that were given none: an adjective, an animal and, as the pairs are few, three digits. */
#include "state/name.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/journal.h"
#include "base/macro.h"
#include "base/str.h"

static const char *const adjectives[] = {
        "able", "bold", "brave", "bright", "brisk", "calm", "clever", "cosy", "crisp", "eager", "early", "fair",
        "fleet", "fond", "fresh", "gentle", "glad", "grand", "happy", "hardy", "honest", "humble", "jolly", "keen",
        "kind", "light", "lively", "loyal", "lucid", "merry", "mild", "neat", "nimble", "noble", "patient", "plain",
        "polite", "proud", "quick", "quiet", "ready", "sharp", "silent", "smart", "snug", "sober", "solid", "steady",
        "still", "sturdy", "subtle", "sunny", "swift", "tidy", "trusty", "vivid", "warm", "wise", "witty", "young",
};
static const char *const animals[] = {
        "badger", "beaver", "bison", "bittern", "crane", "curlew", "dormouse", "dove", "eel", "egret", "elk", "falcon",
        "ferret", "finch", "fox", "gannet", "gecko", "goose", "grebe", "hare", "hawk", "heron", "ibex", "jay",
        "kestrel", "kite", "lark", "linnet", "lynx", "magpie", "marmot", "marten", "mole", "moose", "newt", "osprey",
        "otter", "owl", "pika", "plover", "puffin", "quail", "rail", "raven", "robin", "rook", "salmon", "seal",
        "shrew", "siskin", "skua", "snipe", "sparrow", "stoat", "stork", "swan", "tern", "thrush", "toad", "trout",
};

char *name_generate(void) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return NULL;
        const char *adjective = adjectives[random % ELEMENTSOF(adjectives)];
        const char *animal = animals[(random >> 16) % ELEMENTSOF(animals)];
        return str_format("%s_%s%u", adjective, animal, (unsigned) (random >> 32) % 1000);
}

char *name_of_own_unit(const char *asked) {
        char *own = asked && str_has_suffix(asked, ".container.service") ? journal_own_unit() : NULL;

        return own ? own : asked ? strdup(asked) : NULL;
}

/* What stands before ".service"; 0 for anything else. */
static size_t stem_length(const char *unit) {
        return unit && str_has_suffix(unit, ".service") ? strlen(unit) - strlen(".service") : 0;
}

int name_without_alias(const char *name, const char *alias, const char *own, char **ret) {
        size_t n_alias = stem_length(alias), n_own = stem_length(own);

        *ret = NULL;
        if (n_alias == 0 || n_own == 0 || str_equal(alias, own))
                return 0;
        const char *at = memmem(name, strlen(name), alias, n_alias);
        if (!at)
                return 0;
        *ret = str_format("%.*s%.*s%s", (int) (at - name), name, (int) n_own, own, at + n_alias);
        return *ret ? 0 : -ENOMEM;
}
