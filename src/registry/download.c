/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching a file from the web. */
#include "registry/download.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "config.h"
#include "registry/curl-library.h"
#include "registry/sandbox.h"

enum {
        CONNECT_SECONDS = 30,
        STALL_BYTES_PER_SECOND = 256,
        STALL_SECONDS = 60,
        REDIRECTS = 10,
};

bool download_is_url(const char *text) {
        return str_after(text, "http://") || str_after(text, "https://");
}

static size_t write_data(char *data, size_t size, size_t n, void *fd) {
        return io_write_full(*(int *) fd, data, size * n) < 0 ? 0 : size * n;
}

#define SET(option, value) (ok = ok && curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

static bool set_up(CURL *easy, const char *url, int *data_fd, char *text) {
        const char *protocols = str_after(url, "https://") ? "https" : "http,https";
        const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
        bool ok = true;

        SET(CURLOPT_URL, url);
        SET(CURLOPT_PROTOCOLS_STR, protocols);
        SET(CURLOPT_REDIR_PROTOCOLS_STR, protocols);
        SET(CURLOPT_FOLLOWLOCATION, 1L);
        SET(CURLOPT_MAXREDIRS, (long) REDIRECTS);
        SET(CURLOPT_FAILONERROR, 1L);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_CONNECTTIMEOUT, (long) CONNECT_SECONDS);
        SET(CURLOPT_LOW_SPEED_LIMIT, (long) STALL_BYTES_PER_SECOND);
        SET(CURLOPT_LOW_SPEED_TIME, (long) STALL_SECONDS);
        SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        SET(CURLOPT_USERAGENT, "sdpod/" SDPOD_VERSION);
        SET(CURLOPT_WRITEFUNCTION, write_data);
        SET(CURLOPT_WRITEDATA, data_fd);
        SET(CURLOPT_ERRORBUFFER, text);
        if (!str_empty(file))
                SET(CURLOPT_CAINFO, file);
        if (!str_empty(dir))
                SET(CURLOPT_CAPATH, dir);
        return ok;
}

static int fetch(const char *url, int data_fd, Error *reterr) {
        char text[CURL_ERROR_SIZE] = "";
        int r = curl_library_load(reterr);

        if (r < 0)
                return r;
        CURL *easy = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;

        if (!easy || !set_up(easy, url, &data_fd, text))
                return error_oom(reterr);
        r = fetcher_sandbox(reterr);
        if (r < 0)
                return r;
        CURLcode code = curl_easy_perform(easy);
        if (code == CURLE_OK)
                return 0;
        _cleanup_free_ char *safe = str_escape_control(*text ? text : curl_easy_strerror(code)); /* a server's words may be in it */
        return safe ? error_set(reterr, -EIO, ERROR_UNREACHABLE, "%s", safe) : error_oom(reterr);
}

_noreturn_ static void work(const char *url, int socket, int data) {
        _cleanup_error_ Error error = ERROR_NULL;
        int *const kept[] = { &socket, &data };

        (void) signal(SIGPIPE, SIG_IGN);
        int r = fetcher_keep_fds(kept, ELEMENTSOF(kept));
        if (r < 0)
                (void) error_set_errno(&error, r, "cannot start the network process");
        else
                r = fetch(url, data, &error);
        (void) wire_send_result(socket, r, &error);
        _exit(0);
}

int download_start(const char *url, Download *ret, Error *reterr) {
        _cleanup_download_ Download download = DOWNLOAD_NULL;
        int pair[2], pipe_fds[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot start the network process");
        _cleanup_fd_ int theirs = pair[1], writer = -EBADF;
        download.socket = pair[0];
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot start the network process");
        download.data_fd = pipe_fds[0];
        writer = pipe_fds[1];
        download.pid = process_fork_bound(SIGKILL);
        if (download.pid == 0)
                work(url, theirs, writer);
        if (download.pid < 0)
                return error_set_errno(reterr, -errno, "cannot start the network process");
        *ret = download;
        download = DOWNLOAD_NULL;
        return 0;
}

int download_finish(Download *download, Error *reterr) {
        int r = wire_receive_result(download->socket, reterr);

        (void) process_reap(download->pid);
        download->pid = 0;
        return r;
}

void download_done(Download *download) {
        if (download->pid > 0) {
                (void) kill(download->pid, SIGKILL);
                (void) process_reap(download->pid);
        }
        (void) fd_close(download->socket);
        (void) fd_close(download->data_fd);
        *download = DOWNLOAD_NULL;
}
