/* SPDX-License-Identifier: Apache-2.0 */
/* --detach-keys. */
#include "cli/detach-keys.h"

#include <string.h>

#include "base/str.h"

/* The byte that a key sends; 0 (which is what ctrl-@ would send) for none. */
static char key_byte(const char *word) {
        const char *control = str_after(word, "ctrl-");

        if (control && control[0] && !control[1]) {
                if (control[0] >= 'a' && control[0] <= 'z')
                        return (char) (control[0] - 'a' + 1);
                return strchr("[\\]^_", control[0]) ? (char) (control[0] & 0x1f) : 0;
        }
        return word[0] > ' ' && word[0] < 0x7f && !word[1] ? word[0] : 0;
}

int detach_keys_parse(const char *text, char ret[static DETACH_KEYS_MAX], Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        size_t n = 0;

        if (!text)
                text = "ctrl-p,ctrl-q";
        memset(ret, 0, DETACH_KEYS_MAX);
        if (!*text)
                return 0;
        words = strv_split(text, ",");
        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                char key = key_byte(*w);

                if (!key || n + 1 >= DETACH_KEYS_MAX) {
                        (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --detach-keys '%s': %s", text,
                                         key ? "too many keys" : "not keys that can be typed");
                        return error_with_hint(reterr, -EINVAL, "for example ctrl-p,ctrl-q or ctrl-] or q");
                }
                ret[n++] = key;
        }
        return 0;
}
