/* SPDX-License-Identifier: Apache-2.0 */
/* The files from which dnsmasq has the names of a network's containers. */
#include "net/names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "net/names-files.h"
#include "net/names-files.h"
#include "spec/ip.h"

enum {
        NAME_MAX_LENGTH = 253, /* RFC 1035, 2.3.4, as text without the last dot */
        LABEL_MAX_LENGTH = 63,
        DIRECTORY_MODE = 0755, /* dnsmasq is another user; what is above lets nobody else in */
        FILE_MODE = 0644,
};

bool names_is_valid(const char *name) {
        size_t label = 0, n = 0;

        for (; name[n]; n++) {
                char c = name[n];

                if (c == '.') {
                        if (label == 0)
                                return false;
                        label = 0;
                        continue;
                }
                bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c == '-' && label > 0);
                if (!fine || ++label > LABEL_MAX_LENGTH)
                        return false;
        }
        return label > 0 && n <= NAME_MAX_LENGTH;
}

static int make_directory(int at_fd, const char *name) {
        _cleanup_fd_ int fd = -EBADF;

        if (mkdirat(at_fd, name, DIRECTORY_MODE) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return fchmod(fd, DIRECTORY_MODE) < 0 ? -errno : TAKE_FD(fd); /* whatever the umask */
}

/* names/NETWORK. */
static int open_directory(int directory_fd, const char *network, bool make) {
        _cleanup_fd_ int names_fd = -EBADF;

        if (!network_name_is_valid(network))
                return -EINVAL;
        names_fd = make ? make_directory(directory_fd, "names") : openat(directory_fd, "names", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (names_fd < 0)
                return make ? names_fd : -errno;
        if (make)
                return make_directory(names_fd, network);
        int fd = openat(names_fd, network, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int names_open_directory(int directory_fd, const char *network) {
        return open_directory(directory_fd, network, /* make= */ true);
}

/* With or without the prefix of its network. */
static int parse_address(const char *text, IpAddress *ret) {
        IpSubnet subnet;

        if (!strchr(text, '/'))
                return ip_parse(text, ret);
        int r = ip_parse_subnet(text, &subnet);
        *ret = subnet.address;
        return r;
}

/* The first address, written in the one way there is for it. */
static int file_name(char *const *addresses, char ret[static IP_TEXT_SIZE]) {
        IpAddress address;

        if (!addresses || !*addresses || parse_address(*addresses, &address) < 0)
                return -EINVAL;
        (void) ip_format(&address, ret);
        return 0;
}

/* A line an address (hosts(5)). The bare name comes before the long one: the first is the answer of a reverse lookup. */
static int write_lines(FILE *file, char *const *addresses, char *const *names) {
        for (char *const *a = addresses; *a; a++) {
                IpAddress address;

                if (parse_address(*a, &address) < 0)
                        return -EINVAL;
                (void) fputs(ip_text(&address), file);
                for (char *const *name = names; name && *name; name++) {
                        if (!names_is_valid(*name))
                                continue;
                        (void) fprintf(file, " %s", *name);
                        if (strlen(*name) + STRLEN("." NAMES_DOMAIN) <= NAME_MAX_LENGTH)
                                (void) fprintf(file, " %s." NAMES_DOMAIN, *name);
                }
                (void) fputc('\n', file);
        }
        return 0;
}

int names_add(int directory_fd, const char *network, char *const *addresses, char *const *names, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fd_ int fd = -EBADF;
        char key[IP_TEXT_SIZE];
        size_t size = 0;

        int r = file_name(addresses, key);
        FILE *file = r >= 0 ? open_memstream(&text, &size) : NULL;
        if (r >= 0 && !file)
                return error_oom(reterr);
        if (r >= 0)
                r = write_lines(file, addresses, names);
        if (file && (fclose(file) != 0 && r >= 0))
                r = -ENOMEM;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot note the names of a container of network '%s'", network);
        fd = open_directory(directory_fd, network, /* make= */ true);
        r = fd < 0 ? fd : file_write_atomic(fd, key, text, size, FILE_MODE, FILE_VOLATILE);
        return r < 0 ? error_set_errno(reterr, r, "cannot note the names of a container of network '%s'", network) : 0;
}

int names_remove(int directory_fd, const char *network, char *const *addresses) {
        _cleanup_fd_ int fd = -EBADF;
        char key[IP_TEXT_SIZE];

        int r = file_name(addresses, key);
        if (r < 0)
                return r;
        fd = open_directory(directory_fd, network, /* make= */ false);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        return unlinkat(fd, key, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* What is in the directory goes; of directories in it nothing, unless they are empty. Takes the descriptor over. */
static int empty_directory(int fd) {
        DIR *dir = fdopendir(fd);
        int r = 0;

        if (!dir) {
                r = -errno;
                (void) fd_close(fd);
                return r;
        }
        for (const struct dirent *entry; (entry = readdir(dir));)
                if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, "..") && unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT)
                        r = -errno;
        (void) closedir(dir);
        return r;
}

static int clear_one(int names_fd, const char *network) {
        int fd = openat(names_fd, network, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        int r = empty_directory(fd);
        if (r < 0)
                return r;
        return unlinkat(names_fd, network, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int clear_all(int names_fd) {
        DIR *dir = fdopendir(fcntl(names_fd, F_DUPFD_CLOEXEC, 3));
        int r = 0;

        if (!dir)
                return -errno;
        for (const struct dirent *entry; r >= 0 && (entry = readdir(dir));)
                if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
                        r = clear_one(names_fd, entry->d_name);
        (void) closedir(dir);
        return r;
}

int names_clear(int directory_fd, const char *network) {
        _cleanup_fd_ int names_fd = openat(directory_fd, "names", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (names_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (network && !network_name_is_valid(network))
                return -EINVAL;
        int r = network ? clear_one(names_fd, network) : clear_all(names_fd);
        (void) unlinkat(directory_fd, "names", AT_REMOVEDIR); /* the last network's; else it is not empty */
        return r;
}
