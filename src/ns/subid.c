/* SPDX-License-Identifier: Apache-2.0 */
/* Subordinate IDs. */
#include "ns/subid.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"

enum { FILE_LIMIT = 4 * 1024 * 1024 };

char *subid_user_name(uid_t uid) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;

        /* the file first: the name service loads libraries for what nearly always stands in the file */
        if (file_read(AT_FDCWD, "/etc/passwd", FILE_LIMIT, &text, /* ret_size= */ NULL) >= 0)
                for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                        char *name = strsep(&line, ":");
                        uint32_t found;

                        (void) strsep(&line, ":");
                        char *number = strsep(&line, ":");
                        if (line && parse_id(number, &found) >= 0 && found == uid)
                                return strdup(name);
                }

        return subid_name_service(uid);
}

int subid_ranges(const char *file, uid_t uid, const char *name, SubidRange **ret, size_t *ret_n, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        _cleanup_free_ SubidRange *ranges = NULL;
        char *save = NULL;
        size_t n = 0;

        int r = file_read(AT_FDCWD, file, FILE_LIMIT, &text, /* ret_size= */ NULL);
        if (r < 0 && r != -ENOENT)
                return error_set_errno(reterr, r, "cannot read '%s'", file);

        for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
                const char *who = strsep(&line, ":"), *start = strsep(&line, ":"), *size = line;
                SubidRange range;
                uint32_t number;
                bool ours = (name && str_equal(who, name)) || (parse_id(who, &number) >= 0 && number == uid);

                /* a line that is wrong is passed over, as newuidmap does */
                if (!ours || !size || parse_u32(start, &range.start) < 0 || parse_u32(size, &range.size) < 0 ||
                    range.size == 0 || range.start > UINT32_MAX - range.size)
                        continue;
                SubidRange *grown = reallocarray(ranges, n + 1, sizeof(*ranges));
                if (!grown)
                        return error_oom(reterr);
                ranges = grown;
                ranges[n++] = range;
        }
        *ret = TAKE_PTR(ranges);
        *ret_n = n;
        return 0;
}
