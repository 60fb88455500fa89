/* SPDX-License-Identifier: Apache-2.0 */
/* cp: a process at the source makes a tar stream, another at the destination extracts it. Each sees only its own side. */
#include "content/cp.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/wire.h"
#include "content/extract.h"
#include "content/inside.h"
#include "content/pack.h"
#include "image/archive-library.h"
#include "ns/idmap.h"
#include "proc/user.h"

enum { SOURCE_FILE = 0, SOURCE_DIRECTORY = 1, LINKS_LIMIT = 40, LOOKS_MAX = 20 };

typedef struct Side {
        const char *word;        /* as the user wrote it */
        Container own;
        Container *container;    /* NULL: the host; both sides have one where both are in the same container */
        char *path;              /* NULL: "-" */
        bool ended;              /* the container did, before it was entered */
} Side;

#define SIDE_NULL ((Side){ .own = CONTAINER_NULL })

static void side_done(Side *side) {
        container_done(&side->own);
        free(side->path);
}
#define _cleanup_side_ _cleanup_(side_done)

static int parse_side(const Store *store, const char *word, Side *ret, Error *reterr) {
        _cleanup_free_ char *name = NULL;
        const char *colon = strchr(word, ':');
        bool host = *word == '.' || *word == '/' || !colon;

        ret->word = word;
        if (str_equal(word, "-"))
                return 0;
        if (!host && (colon == word || !colon[1]))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot copy '%s': it must be CONTAINER:PATH, or a path", word);
        if (host && !*word)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot copy '': the path is empty");
        ret->path = strdup(host ? word : colon + 1);
        name = host ? NULL : strndup(word, (size_t) (colon - word));
        if (!ret->path || (!host && !name))
                return error_oom(reterr);
        if (host)
                return 0;
        int r = container_open(store, name, &ret->own, reterr);
        ret->container = r < 0 ? NULL : &ret->own;
        return r;
}

/* One that does not run is not started while its files are mounted here. */
static int lock_stopped(const Store *store, Container *c, Error *reterr) {
        if (!c || c->pidfd >= 0)
                return 0;
        int r = container_lock(store, c, reterr);
        if (r >= 0 && c->pidfd >= 0) /* it was started meanwhile */
                container_unlock(c);
        return r;
}

/* No other command holds the locks of two: that of the smaller ID is the first. */
static int lock_both(const Store *store, Container *a, Container *b, Error *reterr) {
        bool swap = a && b && strcmp(a->config.id, b->config.id) > 0;
        int r = lock_stopped(store, swap ? b : a, reterr);

        return r < 0 || a == b ? r : lock_stopped(store, swap ? a : b, reterr);
}

static int look_again(const Store *store, Side *side, Error *reterr) {
        side->ended = false;
        if (!side->container)
                return 0;
        container_unlock(side->container);
        return container_refresh(store, side->container, reterr);
}

static int start_inside(const Store *store, Side *side, InsideFunction function, void *job, int data_fd, Inside *ret, Error *reterr) {
        int r = inside_start(store, side->container, function, job, data_fd, ret, reterr);

        side->ended = r == -ESRCH;
        return r;
}

/* "dir/." and "." mean what is in the directory. */
static bool means_contents(const char *path) {
        const char *base = strrchr(path, '/');

        base = base ? base + 1 : path;
        return str_equal(base, ".") || str_equal(base, "..") || path[strspn(path, "/")] == 0;
}

/* The last component, whatever slashes follow it. Owned. */
static char *base_name(const char *path) {
        size_t n = strlen(path);

        while (n > 1 && path[n - 1] == '/')
                n--;
        size_t start = n;
        while (start > 0 && path[start - 1] != '/')
                start--;
        return n > start ? strndup(path + start, n - start) : strdup(".");
}

/* ---- the source ---- */

typedef struct SourceJob {
        const char *path, *as;   /* as: the name in the archive; directories that are not named so are "." */
        bool named;              /* a directory gets that name, too */
        const UserMap *map;      /* of host files: IDs as the user's containers have them; NULL: as they are */
} SourceJob;

static int pack_directory(const SourceJob *job, int fd, int out_fd, Error *reterr) {
        int roots[] = { fd };
        const Union u = { .roots = roots, .n = 1, .flags = UNION_PLAIN };
        const PackOptions options = { .as = job->named ? job->as : ".", .map = job->map };

        return pack_union(&u, &options, out_fd, reterr);
}

static int source_inside(void *data, int root_fd, int data_fd, int socket, Error *reterr) {
        const SourceJob *job = data;
        _cleanup_fd_ int found = inside_open(root_fd, job->path, O_PATH), fd = -EBADF;
        struct stat st, again;

        if (found < 0 || fstat(found, &st) < 0)
                return error_set_errno(reterr, found < 0 ? found : -errno, "cannot read '%s'", job->path);
        if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) {
                fd = inside_open(root_fd, job->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | (S_ISDIR(st.st_mode) ? O_DIRECTORY : 0));
                if (fd < 0 || fstat(fd, &again) < 0)
                        return error_set_errno(reterr, fd < 0 ? fd : -errno, "cannot read '%s'", job->path);
                if (again.st_ino != st.st_ino || again.st_dev != st.st_dev || again.st_mode != st.st_mode)
                        return error_set(reterr, -EAGAIN, ERROR_STATE, "cannot read '%s': it was replaced meanwhile", job->path);
        }
        int r = wire_send_result(socket, S_ISDIR(st.st_mode) ? SOURCE_DIRECTORY : SOURCE_FILE, /* error= */ NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot answer");
        return S_ISDIR(st.st_mode) ? pack_directory(job, fd, data_fd, reterr)
                                   : pack_file(fd >= 0 ? fd : found, job->as, job->map, data_fd, reterr);
}

/* ---- the destination ---- */

typedef struct TargetJob {
        const char *path;
        const char *name;        /* of the source */
        int kind;                /* SOURCE_* */
        bool contents;           /* of a directory, what is in it */
        bool archive;            /* the source is an archive of the user's */
        const CpOptions *options;
        const char *user;        /* of the container, whose the files will be */
        bool in_container;
} TargetJob;

/* Where the files go. */
typedef struct Place {
        char *path;              /* of the directory */
        char *file_name;         /* of a single file in it; NULL: a tree */
        int fd;
        bool fresh;
} Place;

static void place_done(Place *place) {
        free(place->path);
        free(place->file_name);
        (void) fd_close(place->fd);
}

/* The directory above `path`, and the last component. */
static int split(const char *path, char **ret_above, char **ret_name, Error *reterr) {
        size_t n = strlen(path);

        while (n > 1 && path[n - 1] == '/')
                n--;
        size_t start = n;
        while (start > 0 && path[start - 1] != '/')
                start--;
        *ret_above = start > 0 ? strndup(path, start) : strdup(".");
        *ret_name = strndup(path + start, n - start);
        return *ret_above && *ret_name ? 0 : error_oom(reterr);
}

static int open_place(Place *place, int root_fd, Error *reterr) {
        place->fd = inside_open(root_fd, place->path, O_PATH | O_DIRECTORY);
        return place->fd < 0 ? error_set_errno(reterr, place->fd, "cannot copy to '%s'", place->path) : 0;
}

/* Onto a file, or where nothing is: the directory is the one that the path's last component is in, after all symlinks. */
static int place_onto(const TargetJob *job, int root_fd, bool exists, Place *place, Error *reterr) {
        _cleanup_free_ char *path = strdup(job->path);

        for (unsigned i = 0; i < LINKS_LIMIT && path; i++) {
                _cleanup_free_ char *above = NULL, *name = NULL;
                char text[4096];
                ssize_t n;
                int r = split(path, &above, &name, reterr);

                if (r < 0)
                        return r;
                if (str_equal(name, ".") || str_equal(name, "..") || !*name)
                        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot copy to '%s': there is no such directory", job->path);
                place->fd = fd_close(place->fd);
                place->fd = inside_open(root_fd, above, O_PATH | O_DIRECTORY);
                if (place->fd < 0)
                        return error_set_errno(reterr, place->fd, "cannot copy to '%s': its directory '%s' cannot be opened", job->path, above);
                n = exists ? readlinkat(place->fd, name, text, sizeof(text) - 1) : -1;
                if (n < 0) {
                        place->path = TAKE_PTR(above);
                        place->file_name = TAKE_PTR(name);
                        return 0;
                }
                text[n] = 0;
                char *next = *text == '/' ? strdup(text) : str_format("%s/%s", above, text);
                free(path);
                path = next;
        }
        return path ? error_set(reterr, -ELOOP, ERROR_INVALID, "cannot copy to '%s': too many symlinks", job->path) : error_oom(reterr);
}

/* The tree gets a directory of its own in the place that was found. */
static int make_own_directory(const TargetJob *job, int root_fd, const char *name, Place *place, Error *reterr) {
        _cleanup_free_ char *path = str_format("%s/%s", place->path, name);
        struct stat st;

        if (!path)
                return error_oom(reterr);
        if (mkdirat(place->fd, name, 0755) == 0)
                place->fresh = true;
        else if (errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make the directory '%s'", path);
        else if (fstatat(place->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
                if (!job->options->overwrite)
                        return error_set(reterr, -EEXIST, ERROR_STATE, "cannot replace '%s': it is no directory (--overwrite allows it)", path);
                if (unlinkat(place->fd, name, 0) < 0 || mkdirat(place->fd, name, 0755) < 0)
                        return error_set_errno(reterr, -errno, "cannot replace '%s'", path);
                place->fresh = true;
        }
        (void) str_replace(&place->file_name, NULL);
        if (str_replace(&place->path, path) < 0)
                return error_oom(reterr);
        _cleanup_fd_ int above = TAKE_FD(place->fd);
        if (root_fd != AT_FDCWD)
                return open_place(place, root_fd, reterr);
        /* the name is not the user's word, and a container that shares the directory may have made a link of it */
        place->fd = path_open_beneath(above, name, O_PATH | O_DIRECTORY, 0);
        return place->fd < 0 ? error_set_errno(reterr, place->fd, "cannot copy to '%s'", path) : 0;
}

/* podman-cp(1): what becomes of a file or directory, by what is at the destination. */
static int find_place(const TargetJob *job, int root_fd, Place *place, Error *reterr) {
        _cleanup_fd_ int found = inside_open(root_fd, job->path, O_PATH);
        bool directory = job->kind == SOURCE_DIRECTORY, slash = str_has_suffix(job->path, "/");
        struct stat st = {};
        int r;

        if (found < 0 && found != -ENOENT)
                return error_set_errno(reterr, found, "cannot copy to '%s'", job->path);
        if (found >= 0 && fstat(found, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot copy to '%s'", job->path);
        if (found >= 0 && S_ISDIR(st.st_mode)) {
                if (str_replace(&place->path, job->path) < 0 || (!directory && str_replace(&place->file_name, job->name) < 0))
                        return error_oom(reterr);
                r = open_place(place, root_fd, reterr);
                return r < 0 || !directory || job->contents ? r : make_own_directory(job, root_fd, job->name, place, reterr);
        }
        if (job->archive)
                return error_set(reterr, -ENOTDIR, ERROR_INVALID, "cannot extract to '%s': it is no directory", job->path);
        if (found >= 0 && directory && !job->options->overwrite)
                return error_set(reterr, -ENOTDIR, ERROR_INVALID, "cannot copy a directory to the file '%s'", job->path);
        if (slash && !directory)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot copy to '%s': there is no such directory", job->path);
        r = place_onto(job, root_fd, found >= 0, place, reterr);
        if (r < 0 || !directory)
                return r;
        _cleanup_free_ char *name = TAKE_PTR(place->file_name);
        return make_own_directory(job, root_fd, name, place, reterr);
}

static int target_inside(void *data, int root_fd, int data_fd, _unused_ int socket, Error *reterr) {
        const TargetJob *job = data;
        _cleanup_container_user_ ContainerUser user = CONTAINER_USER_NULL;
        _cleanup_(place_done) Place place = { .fd = -EBADF };
        _cleanup_stream_ Stream *stream = NULL;
        ExtractOptions options = { .root_fd = root_fd, .overwrite = job->options->overwrite };

        int r = find_place(job, root_fd, &place, reterr);
        if (r >= 0 && job->in_container && !job->options->keep_owners)
                r = user_resolve(root_fd, job->user, /* group_add= */ NULL, &user, reterr);
        if (r >= 0)
                r = stream_open(data_fd, 0, UINT64_MAX, UINT64_MAX, job->archive ? 0 : STREAM_PLAIN, &stream, reterr);
        if (r < 0)
                return r;
        options.base_fd = place.fd;
        options.base_path = place.path;
        options.file_name = place.file_name;
        options.fresh = place.fresh;
        options.own = job->in_container && !job->options->keep_owners;
        options.keep_owners = job->in_container && job->options->keep_owners;
        options.uid = user.uid;
        options.gid = user.gid;
        return extract_stream(stream, &options, reterr);
}

/* ---- both ---- */

static int start_target(const Store *store, Side *side, TargetJob *job, int data_fd, Inside *ret, Error *reterr) {
        job->path = side->path;
        job->in_container = side->container;
        job->user = side->own.config.user;
        return start_inside(store, side, target_inside, job, data_fd, ret, reterr);
}

static int copy_between(const Store *store, Side *source, Side *target, const CpOptions *options, Error *reterr) {
        _cleanup_inside_ Inside from = INSIDE_NULL, to = INSIDE_NULL;
        _cleanup_free_ char *name = base_name(source->path);
        _cleanup_user_map_ UserMap map = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_fd_ int reader = -EBADF, writer = -EBADF;
        int pipe_fds[2], r = name ? 0 : error_oom(reterr);

        if (r >= 0 && !source->container)
                r = user_map_default(&map, reterr);
        if (r < 0)
                return r;
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        reader = pipe_fds[0];
        writer = pipe_fds[1];
        SourceJob job = { .path = source->path, .as = name, .map = source->container ? NULL : &map };
        r = start_inside(store, source, source_inside, &job, writer, &from, reterr);
        writer = fd_close(writer);
        int kind = r < 0 ? r : inside_receive(&from, reterr);
        if (kind < 0)
                return kind;
        TargetJob target_job = { .name = name, .kind = kind, .contents = means_contents(source->path), .options = options };
        r = start_target(store, target, &target_job, reader, &to, reterr);
        reader = fd_close(reader);
        if (r < 0)
                return r;
        int extracted = inside_receive(&to, &error);
        int packed = extracted < 0 && error.code != -EBADMSG ? 0 : inside_receive(&from, reterr);
        /* a source that fails cuts the archive short: its own words are nearer to the cause */
        return packed < 0 ? packed : extracted < 0 ? error_move(reterr, &error) : 0;
}

static int copy_to_stdout(const Store *store, Side *source, Error *reterr) {
        _cleanup_inside_ Inside from = INSIDE_NULL;
        _cleanup_free_ char *name = base_name(source->path);
        SourceJob job = { .path = source->path, .as = name, .named = !means_contents(source->path) };

        if (!name)
                return error_oom(reterr);
        if (isatty(STDOUT_FILENO))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot write an archive to a terminal: redirect the output");
        int r = start_inside(store, source, source_inside, &job, STDOUT_FILENO, &from, reterr);
        if (r >= 0)
                r = inside_receive(&from, reterr);
        return r < 0 ? r : inside_receive(&from, reterr);
}

static int copy_from_stdin(const Store *store, Side *target, const CpOptions *options, Error *reterr) {
        _cleanup_inside_ Inside to = INSIDE_NULL;
        TargetJob job = { .name = "-", .kind = SOURCE_DIRECTORY, .contents = true, .archive = true, .options = options };
        int r = archive_library_load(reterr); /* it may be compressed */

        if (r >= 0)
                r = start_target(store, target, &job, STDIN_FILENO, &to, reterr);
        return r < 0 ? r : inside_receive(&to, reterr);
}

static int copy(const Store *store, Side *source, Side *target, const CpOptions *options, Error *reterr) {
        if (!source->path)
                return copy_from_stdin(store, target, options, reterr);
        return target->path ? copy_between(store, source, target, options, reterr) : copy_to_stdout(store, source, reterr);
}

int cp_run(const Store *store, const char *source_word, const char *target_word, const CpOptions *options, Error *reterr) {
        _cleanup_side_ Side source = SIDE_NULL, target = SIDE_NULL;
        int r = parse_side(store, source_word, &source, reterr);

        if (r >= 0)
                r = parse_side(store, target_word, &target, reterr);
        if (r < 0)
                return r;
        if (!source.container && !target.container)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot copy '%s' to '%s': neither is in a container", source_word, target_word);
        if (source.container && target.container && str_equal(source.own.config.id, target.own.config.id))
                target.container = &source.own;
        /* nothing is copied before all is entered: where a container ended meanwhile it begins anew, with what there is then */
        for (unsigned looks = 0;; looks++) {
                r = lock_both(store, source.container, target.container, reterr);
                if (r >= 0)
                        r = copy(store, &source, &target, options, reterr);
                if ((!source.ended && !target.ended) || looks >= LOOKS_MAX)
                        break;
                error_done(reterr);
                r = look_again(store, &source, reterr);
                if (r >= 0)
                        r = look_again(store, &target, reterr);
                if (r < 0)
                        break;
        }
        return r < 0 ? error_prefix(reterr, r, "cannot copy '%s' to '%s'", source_word, target_word) : 0;
}
