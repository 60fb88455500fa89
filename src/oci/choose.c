/* SPDX-License-Identifier: Apache-2.0 */
/* Containers by a pattern. */
#include "oci/choose.h"

#include <regex.h>

#include "base/str.h"

static int for_each(const OciRoot *root, const regex_t *regex, int (*what)(OciContainer *container, const void *data, Error *reterr),
                    bool lock, const void *data, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int first = 0;

        int r = oci_container_list(root, &ids, reterr);
        if (r < 0)
                return r;
        for (char **id = ids; id && *id; id++) {
                _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                if (regexec(regex, *id, 0, NULL, 0) != 0)
                        continue;
                r = oci_container_open(root, *id, lock, &c, &error);
                if (r == -ENOENT)
                        continue;
                if (r >= 0)
                        r = what(&c, data, &error);
                if (r < 0 && first >= 0)
                        first = error_move(reterr, &error);
        }
        return first;
}

int oci_each_matching(const GlobalOptions *global, const char *pattern, int (*what)(OciContainer *container, const void *data, Error *reterr),
                      bool lock, const void *data, Error *reterr) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        regex_t regex;

        if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s': not a regular expression", pattern);
        int r = oci_root_open(global, /* make= */ false, &root, reterr);
        r = r == -ENOENT ? 0 : r < 0 ? r : for_each(&root, &regex, what, lock, data, reterr);
        regfree(&regex);
        return r;
}
