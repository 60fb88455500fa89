/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci: the OCI runtime for containerd, dockerd, CRI-O and Podman. */
#include "oci/main.h"

int main(int argc, char **argv) {
        return oci_main(argc, argv);
}
