/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that were given none: an adjective, an animal and, as the pairs are few, three digits. */
#include "state/name.h"

#include <stdint.h>
#include <sys/random.h>

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
