/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-monitor: reads the output of detached containers (sdpod-monitor(8), docs/MONITOR.md). */
#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "base/parse.h"
#include "config.h"
#include "monitor/service.h"
#include "monitor/solo.h"

static int help(void) {
        (void) puts("sdpod-monitor: the user's monitor, started by systemd\n"
                    "sdpod-monitor --solo --id=ID --store-data=PATH --store-runtime=PATH [--ready-fd=N] -- COMMAND...");
        return 0;
}

int main(int argc, char **argv) {
        enum { OPT_SOLO = 256, OPT_ID, OPT_DATA, OPT_RUNTIME, OPT_READY, OPT_VERSION, OPT_HELP };
        static const struct option options[] = {
                { "solo", no_argument, NULL, OPT_SOLO },
                { "id", required_argument, NULL, OPT_ID },
                { "store-data", required_argument, NULL, OPT_DATA },
                { "store-runtime", required_argument, NULL, OPT_RUNTIME },
                { "ready-fd", required_argument, NULL, OPT_READY },
                { "version", no_argument, NULL, OPT_VERSION },
                { "help", no_argument, NULL, OPT_HELP },
                {},
        };
        _cleanup_error_ Error error = ERROR_NULL;
        MonitorSolo solo = { .ready_fd = -EBADF };
        bool alone = false;
        uint32_t number;

        log_set_program("sdpod-monitor");
        for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) >= 0;)
                switch (c) {
                case OPT_SOLO:
                        alone = true;
                        break;
                case OPT_ID:
                        solo.id = optarg;
                        break;
                case OPT_DATA:
                        solo.data_path = optarg;
                        break;
                case OPT_RUNTIME:
                        solo.runtime_path = optarg;
                        break;
                case OPT_READY:
                        if (parse_u32(optarg, &number) < 0 || number > INT32_MAX)
                                return 125;
                        solo.ready_fd = (int) number;
                        break;
                case OPT_VERSION:
                        return printf("sdpod-monitor %s\n", SDPOD_VERSION) < 0;
                case OPT_HELP:
                        return help();
                default:
                        return 125;
                }
        solo.command = argv + optind;
        int r = alone ? monitor_solo_run(&solo, &error) : monitor_service_run(solo.runtime_path, &error);
        if (r < 0)
                error_print(&error);
        return r < 0 ? 1 : 0;
}
