/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a user's manager outlives the login. */
#include "engine/linger.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "ns/subid.h"

bool linger_is_on(const char *user) {
        _cleanup_free_ char *path = str_format("/var/lib/systemd/linger/%s", user);

        return geteuid() == 0 || !path || access(path, F_OK) == 0;
}

void linger_tell(const Store *store) {
        if (!isatty(STDERR_FILENO))
                return;
        _cleanup_free_ char *user = subid_user_name(getuid());
        if (!user || linger_is_on(user))
                return;
        _cleanup_fd_ int mark = openat(store->runtime_fd, "told-linger", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (mark >= 0)
                log_hint("your containers end when you log out; to keep them: loginctl enable-linger");
}
