/* SPDX-License-Identifier: Apache-2.0 */
/* The program that reads a stranger's bytes, see src/image/README.md for its command line. */
#include "image/command.h"

int main(int argc, char **argv) {
        return image_command(argc, argv);
}
