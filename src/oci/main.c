/* SPDX-License-Identifier: Apache-2.0 */
/* From a command line to a verb. */
#include "oci/main.h"

#include <stdio.h>

#include "base/str.h"
#include "config.h"

int oci_main(int argc, char **argv) {
        if (argc == 2 && str_equal(argv[1], "--version"))
                return printf("sdpod-oci version %s\nspec: 1.3.0\n", SDPOD_VERSION) < 0;
        (void) fprintf(stderr, "sdpod-oci: no verb is there yet\n");
        return 1;
}
