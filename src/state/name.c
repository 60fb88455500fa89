/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that were given none: an adjective, an animal and, as the pairs are few, three digits. */
#include "state/name.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/journal.h"
#include "base/macro.h"
#include "base/str.h"
#include "spec/container.h"

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
        bool alias = asked && (str_has_suffix(asked, ".container.service") || str_has_suffix(asked, ".pod.service"));
        char *own = alias ? journal_own_unit() : NULL;

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

static const char link_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", link_digits[] = "0123456789abcdef";

/* base64url (RFC 4648, section 5) without padding, of the 256 bits that the digits mean: three digits are two letters. */
void name_link_text(const char *id, char ret[static NAME_LINK_SIZE]) {
        unsigned bits = 0, n_bits = 0;
        size_t n = 0;

        for (size_t i = 0; i < CONTAINER_ID_LENGTH; i++) {
                const char *digit = strchr(link_digits, id[i]);

                bits = (bits << 4 | (unsigned) (digit ? digit - link_digits : 0)) & 0xfff;
                n_bits += 4;
                while (n_bits >= 6)
                        ret[n++] = link_letters[bits >> (n_bits -= 6) & 63];
        }
        ret[n++] = link_letters[bits << (6 - n_bits) & 63];
        ret[n] = 0;
}

bool name_link_id(const char *text, char *ret_id) {
        size_t size = strlen(text), n = 0;
        unsigned bits = 0, n_bits = 0;

        if (size == CONTAINER_ID_LENGTH && strspn(text, link_digits) == CONTAINER_ID_LENGTH) {
                (void) stpcpy(ret_id, text);
                return true;
        }
        if (size != NAME_LINK_SIZE - 1)
                return false;
        for (; *text; text++) {
                char c = *text;
                int value = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
                            : c == '-' ? 62 : c == '_' ? 63 : -1;

                if (value < 0)
                        return false;
                bits = (bits << 6 | (unsigned) value) & 0xfff;
                for (n_bits += 6; n_bits >= 4 && n < CONTAINER_ID_LENGTH;)
                        ret_id[n++] = link_digits[bits >> (n_bits -= 4) & 15];
        }
        ret_id[n] = 0;
        return n == CONTAINER_ID_LENGTH && (bits & 3) == 0; /* 258 bits hold 256 */
}
