/* SPDX-License-Identifier: Apache-2.0 */
/* The least that storing a layer takes, in one thread: floor BLOB DIR reads the gzip file BLOB, hashes it, inflates it (ISA-L),
 * hashes what comes out, and creates the files of the tar in DIR with mode and time. No owners, xattrs, whiteouts, no sync,
 * no checks: it is what sdpod is measured against, not a way to unpack anything. */
#include <errno.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IN = 256 * 1024, OUT = 256 * 1024, BLOCK = 512 };

static uint8_t in[IN], out[OUT], header[BLOCK], name[4096];
static size_t have;          /* bytes of the header that are there */
static uint64_t left, pad;   /* bytes of the file's data, and of its padding, still to come */
static int fd = -1;
static bool long_name;
static struct timespec times[2];

static _Noreturn void die(const char *what) {
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        exit(1);
}

static void open_entry(void) {
        char path[4096];
        mode_t mode = (mode_t) strtoul((char *) header + 100, NULL, 8);

        snprintf(path, sizeof(path), "%.155s%s%.100s", header + 345, header[345] ? "/" : "", header);
        if (long_name)
                snprintf(path, sizeof(path), "%s", name);
        long_name = false;
        left = strtoull((char *) header + 124, NULL, 8);
        pad = -left % BLOCK;
        times[1].tv_sec = strtoll((char *) header + 136, NULL, 8);
        times[0] = times[1];
        switch (header[156]) {
        case 'L':
                long_name = true;
                memset(name, 0, sizeof(name));
                return;
        case '5':
                if (mkdir(path, mode | 0700) < 0 && errno != EEXIST)
                        die(path);
                return;
        case '2':
                snprintf((char *) name, sizeof(name), "%.100s", header + 157);
                if (symlink((char *) name, path) < 0)
                        die(path);
                return;
        case '0':
                fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
                if (fd < 0)
                        die(path);
        }
}

static void close_entry(void) {
        if (fd < 0)
                return;
        if (futimens(fd, times) < 0)
                die("times");
        close(fd);
        fd = -1;
}

static void unpack(const uint8_t *p, size_t n) {
        while (n > 0) {
                size_t k;

                if (left > 0) {
                        k = left < n ? left : n;
                        if (fd >= 0 && write(fd, p, k) != (ssize_t) k)
                                die("write");
                        if (long_name && k < sizeof(name))
                                memcpy(name, p, k);
                        left -= k;
                } else if (pad > 0) {
                        k = pad < n ? pad : n;
                        pad -= k;
                } else {
                        k = BLOCK - have < n ? BLOCK - have : n;
                        memcpy(header + have, p, k);
                        have += k;
                        if (have == BLOCK) {
                                have = 0;
                                if (header[0])
                                        open_entry();
                        }
                }
                if (left == 0)
                        close_entry();
                p += k;
                n -= k;
        }
}

int main(int argc, char **argv) {
        static struct inflate_state state;
        EVP_MD_CTX *packed = EVP_MD_CTX_new(), *raw = EVP_MD_CTX_new();
        unsigned char digest[32];
        int blob = argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
        ssize_t n;

        if (blob < 0 || chdir(argv[2]) < 0)
                die("usage: floor BLOB DIR");
        umask(0);
        EVP_DigestInit_ex(packed, EVP_sha256(), NULL);
        EVP_DigestInit_ex(raw, EVP_sha256(), NULL);
        isal_inflate_init(&state);
        state.crc_flag = ISAL_GZIP;
        while ((n = read(blob, in, sizeof(in))) > 0) {
                EVP_DigestUpdate(packed, in, (size_t) n);
                state.next_in = in;
                state.avail_in = (uint32_t) n;
                do {
                        state.next_out = out;
                        state.avail_out = sizeof(out);
                        if (isal_inflate(&state) != ISAL_DECOMP_OK)
                                die("inflate");
                        EVP_DigestUpdate(raw, out, sizeof(out) - state.avail_out);
                        unpack(out, sizeof(out) - state.avail_out);
                } while (state.avail_out == 0 || (state.avail_in > 0 && state.block_state != ISAL_BLOCK_FINISH));
        }
        EVP_DigestFinal_ex(packed, digest, NULL);
        EVP_DigestFinal_ex(raw, digest, NULL);
        return 0;
}
