/* SPDX-License-Identifier: Apache-2.0 */
/* What a digest is. */
#include "spec/digest.h"

#include "base/str.h"

static const char prefix[] = "sha256:";

bool digest_hex_is_valid(const char *text) {
        return text && strspn(text, "0123456789abcdef") == DIGEST_HEX_LENGTH && !text[DIGEST_HEX_LENGTH];
}

bool digest_is_valid(const char *text) {
        const char *hex = text ? str_after(text, prefix) : NULL;

        return hex && digest_hex_is_valid(hex);
}

const char *digest_hex(const char *digest) {
        assert(digest_is_valid(digest));
        return digest + sizeof(prefix) - 1;
}

int digest_check(const char *text, const char *what, Error *reterr) {
        if (digest_is_valid(text))
                return 0;
        if (!text)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s has no digest", what);
        if (str_after(text, "sha512:") || str_after(text, "sha384:"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "%s has the digest '%.80s': only sha256 is supported",
                                 what, text);
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s has the digest '%.80s', which is not one", what, text);
}
