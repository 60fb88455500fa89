/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci: the OCI runtime for containerd, dockerd, CRI-O and Podman. */
#include "oci/main.h"
#include "oci/seal.h"

int main(int argc, char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (oci_main_enters(argv) && oci_seal_program(argv, &error) < 0) {
                error_print(&error);
                return 1;
        }
        return oci_main(argc, argv);
}
