/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and units that belong to sdpod, and files that others configure it by. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroup/manager.h"
#include "config.h"
#include "engine/doctor-check.h"
#include "engine/plan-mounts.h"
#include "net/names.h"
#include "quadlet/check.h"

#define USER_UNITS "/usr/lib/systemd/user"
#define SYSTEM_UNITS "/usr/lib/systemd/system"

void doctor_programs(_unused_ const Doctor *doctor, Finding *f) {
        static const struct {
                const char *path, *cost;
        } rows[] = {
                { SDPOD_LIBEXECDIR "/sdpod-image", "images can neither be pulled nor loaded" },
                { SDPOD_LIBEXECDIR "/sdpod-net", "containers have no network but --network none and host" },
                { SDPOD_LIBEXECDIR "/sdpod-bypass", "containers of --network slirp4netns:bypass=true do not start" },
                { SDPOD_LIBEXECDIR "/sdpod-rules", "containers cannot be on bridge networks" },
                { SDPOD_LIBEXECDIR "/sdpod-monitor", "containers cannot run in the background" },
                { SDPOD_LIBEXECDIR "/sdpod-containers", "containers in the foreground start slower" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (access(rows[i].path, X_OK) == 0)
                        continue;
                finding_say(f, DOCTOR_PROBLEM, "'%s': %s", rows[i].path, strerror(errno));
                finding_cost(f, "%s", rows[i].cost);
                finding_fix(f, "install sdpod again, all of it");
        }
        if (f->status == DOCTOR_OK)
                finding_say(f, DOCTOR_OK, "sdpod-image, sdpod-net, sdpod-bypass, sdpod-rules, sdpod-monitor and sdpod-containers are there");
}

void doctor_init_program(_unused_ const Doctor *doctor, Finding *f) {
        if (access(INIT_PROGRAM, X_OK) == 0) {
                finding_say(f, DOCTOR_OK, "'%s' is there", INIT_PROGRAM);
                return;
        }
        finding_say(f, DOCTOR_WARNING, "'%s': %s", INIT_PROGRAM, strerror(errno));
        finding_cost(f, "--init is refused");
        finding_fix(f, "sudo apt-get install catatonit");
}

void doctor_names_program(_unused_ const Doctor *doctor, Finding *f) {
        const char *program = names_program();

        if (program) {
                finding_say(f, DOCTOR_OK, "'%s' is there", program);
                return;
        }
        finding_say(f, DOCTOR_WARNING, "dnsmasq is not installed");
        finding_cost(f, "containers cannot be on networks with names (network create --disable-dns)");
        finding_fix(f, "sudo apt-get install dnsmasq-base");
}

/* Somebody listens: systemd, which starts the monitor at the first word. */
void doctor_monitor(const Doctor *doctor, Finding *f) {
        const char *user = doctor->root ? "" : " --user";

        if (!manager_is_there() || !doctor->store) {
                finding_say(f, DOCTOR_OK, "one for each container in the background, as there is no systemd manager");
                return;
        }
        _cleanup_fd_ int fd = io_unix_connect(doctor->store->runtime_fd, "monitor.sock", SOCK_SEQPACKET);
        if (fd >= 0) {
                finding_say(f, DOCTOR_OK, "its socket answers");
                return;
        }
        finding_say(f, DOCTOR_PROBLEM, "its socket '%s/monitor.sock': %s", doctor->store->runtime_path, strerror(-fd));
        finding_cost(f, "containers cannot run in the background");
        finding_fix(f, "systemctl%s unmask sdpod-monitor.socket sdpod-monitor.service; systemctl%s daemon-reload; systemctl%s stop sdpod-monitor.service; "
                    "systemctl%s restart sdpod-monitor.socket",
                    user, user, user, user);
}

/* A link to /dev/null in a directory that comes before ours. */
static bool is_masked(const char *directory, const char *unit) {
        _cleanup_free_ char *path = directory ? str_format("%s/%s", directory, unit) : NULL;
        char target[16];
        ssize_t n = path ? readlink(path, target, sizeof(target)) : -1;

        return n == (ssize_t) strlen("/dev/null") && memcmp(target, "/dev/null", (size_t) n) == 0;
}

void doctor_restart_service(const Doctor *doctor, Finding *f) {
        static const char unit[] = "sdpod-restart.service";
        const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        _cleanup_free_ char *own = !str_empty(xdg) ? str_format("%s/systemd/user", xdg) : str_format("%s/.config/systemd/user", home ?: "");
        _cleanup_free_ char *enabled = str_format("%s/%s.wants/%s", doctor->root ? SYSTEM_UNITS : USER_UNITS,
                                                  doctor->root ? "multi-user.target" : "default.target", unit);
        bool masked = doctor->root ? is_masked("/etc/systemd/system", unit) : is_masked(own, unit) || is_masked("/etc/systemd/user", unit);

        if (!masked && enabled && access(enabled, F_OK) == 0) {
                finding_say(f, DOCTOR_OK, "%s is on", unit);
                return;
        }
        finding_say(f, DOCTOR_WARNING, "%s is %s", unit, masked ? "masked" : "not installed");
        finding_cost(f, "containers with --restart=always or unless-stopped do not come back after a boot");
        if (masked)
                finding_fix(f, "systemctl%s unmask %s", doctor->root ? "" : " --user", unit);
        else
                finding_fix(f, "install sdpod's units in %s", doctor->root ? SYSTEM_UNITS : USER_UNITS);
}

/* The first fault by its place; `verify` has all of them. */
static void check_unit_files(Finding *f) {
        _cleanup_quadlet_check_ QuadletCheck check = {};
        _cleanup_error_ Error error = ERROR_NULL;
        int r = quadlet_check_read(&check, /* judge= */ true, &error);

        if (r < 0) {
                finding_say(f, DOCTOR_PROBLEM, "%s", error.message ?: strerror(-r));
                return;
        }
        for (size_t i = 0; i < check.n_findings; i++) {
                if (check.findings[i].severity != UNIT_ERROR)
                        continue;
                finding_say(f, DOCTOR_PROBLEM, "%s", check.findings[i].text);
                if (check.n_errors > 1)
                        finding_say(f, DOCTOR_PROBLEM, "%s (and %u more)", check.findings[i].text, check.n_errors - 1);
                finding_cost(f, "a service that fails when it is started");
                finding_fix(f, "sdpod quadlet verify shows all; sdpod quadlet edit UNIT");
                return;
        }
        finding_say(f, DOCTOR_OK, "their generator is there, and nothing is wrong with %zu of them", check.set.n_units);
}

void doctor_generator(const Doctor *doctor, Finding *f) {
        const char *path = doctor->root ? "/usr/lib/systemd/system-generators/sdpod-system-generator"
                                        : "/usr/lib/systemd/user-generators/sdpod-user-generator";

        if (access(path, X_OK) == 0) {
                check_unit_files(f);
                return;
        }
        finding_say(f, DOCTOR_WARNING, "'%s': %s", path, strerror(errno));
        finding_cost(f, ".container files and the like are not read");
        finding_fix(f, "install sdpod with its generators below /usr/lib/systemd");
}

static void check_readable(Finding *f, const char *path) {
        _cleanup_fd_ int fd = path ? open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC) : -EBADF;

        if (!path || fd >= 0 || errno == ENOENT || errno == ENOTDIR)
                return;
        finding_say(f, DOCTOR_PROBLEM, "'%s': %s", path, strerror(errno));
        finding_cost(f, "images cannot be pulled");
        finding_fix(f, "sudo chmod a+r %s", path);
}

/* What is not there need not be; what is there must be readable. */
void doctor_configuration(_unused_ const Doctor *doctor, Finding *f) {
        static const char *const names[] = { "registries.conf", "policy.json" };
        const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *own = !str_empty(xdg) ? str_format("%s/containers/%s", xdg, names[i])
                                                           : str_format("%s/.config/containers/%s", home ?: "", names[i]),
                                    *of_machine = str_format("/etc/containers/%s", names[i]);

                check_readable(f, own);
                check_readable(f, of_machine);
        }
        if (f->status == DOCTOR_OK)
                finding_say(f, DOCTOR_OK, "registries.conf and policy.json can be read, where they are");
}
