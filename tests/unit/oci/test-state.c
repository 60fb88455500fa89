/* SPDX-License-Identifier: Apache-2.0 */
/* Records of containers: made, found, locked, and told for what they are. */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/test.h"
#include "oci/state.h"

static char directory[] = "/tmp/test-oci-state-XXXXXX";

static OciRoot open_root(void) {
        OciRoot root = OCI_ROOT_NULL;
        GlobalOptions global = GLOBAL_OPTIONS_NULL;

        if (strstr(directory, "XXXXXX"))
                CHECK(mkdtemp(directory));
        global.root = str_format("%s/below/it", directory);
        CHECK(global.root && oci_root_open(&global, true, &root, NULL) >= 0);
        free(global.root);
        return root;
}

static OciContainer make(const OciRoot *root, const char *id, pid_t pid) {
        OciContainer c = OCI_CONTAINER_NULL;

        CHECK(oci_container_make(root, id, &c, NULL) >= 0);
        c.record.id = strdup(id);
        c.record.bundle = strdup("/bundle");
        c.record.pid = pid;
        CHECK(pid == 0 || process_start_time(pid, &c.record.start_time) >= 0);
        c.record.cgroup.is_none = true;
        return c;
}

static OciStatus status_of(const OciRoot *root, const char *id) {
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;

        CHECK(oci_container_open(root, id, false, &c, NULL) >= 0);
        return oci_container_status(&c);
}

TEST(an_id_is_taken_once) {
        _cleanup_oci_root_ OciRoot root = open_root();
        _cleanup_oci_container_ OciContainer c = make(&root, "one", 0), other = OCI_CONTAINER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK(oci_container_make(&root, "one", &other, &error) == -EEXIST);
        CHECK(strstr(error.message, "container with given ID already exists"));
        CHECK(oci_container_remove(&c, NULL) >= 0);
        CHECK(oci_container_open(&root, "one", false, &other, &error) == -ENOENT);
        CHECK(strstr(error.message, "does not exist"));
}

TEST(creating_until_it_is_done) {
        _cleanup_oci_root_ OciRoot root = open_root();
        _cleanup_oci_container_ OciContainer c = make(&root, "two", getpid());

        CHECK(status_of(&root, "two") == OCI_CREATING); /* no record yet, and somebody at work */
        CHECK(oci_container_save(&c, NULL) >= 0);
        CHECK(status_of(&root, "two") == OCI_CREATING);
        CHECK(oci_container_commit(&c, NULL) >= 0);
        CHECK(status_of(&root, "two") == OCI_RUNNING);
        CHECK(oci_container_remove(&c, NULL) >= 0);
}

/* What a kill -9 of `create` leaves, at each of its steps. */
TEST(a_killed_maker_leaves_what_has_stopped) {
        _cleanup_oci_root_ OciRoot root = open_root();

        for (int step = 0; step < 2; step++) {
                _cleanup_oci_container_ OciContainer c = make(&root, "three", 0), again = OCI_CONTAINER_NULL;

                CHECK(step == 0 || oci_container_save(&c, NULL) >= 0);
                oci_container_unlock(&c);
                CHECK(status_of(&root, "three") == OCI_STOPPED);
                CHECK(oci_container_open(&root, "three", true, &again, NULL) >= 0);
                CHECK(oci_container_remove(&again, NULL) >= 0);
        }
}

TEST(a_process_that_has_ended_or_is_another) {
        _cleanup_oci_root_ OciRoot root = open_root();
        pid_t pid = fork();

        if (pid == 0) {
                (void) pause();
                _exit(0);
        }
        CHECK(pid > 0);
        _cleanup_oci_container_ OciContainer c = make(&root, "four", pid), other = make(&root, "five", getpid());
        CHECK(oci_container_save(&c, NULL) >= 0 && oci_container_commit(&c, NULL) >= 0);
        CHECK(status_of(&root, "four") == OCI_RUNNING);
        CHECK(kill(pid, SIGKILL) >= 0);
        siginfo_t info;
        CHECK(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT) >= 0);
        CHECK(status_of(&root, "four") == OCI_STOPPED); /* a zombie */
        CHECK(waitpid(pid, NULL, 0) == pid);
        CHECK(status_of(&root, "four") == OCI_STOPPED);

        other.record.start_time++; /* its number was given to another one */
        CHECK(oci_container_save(&other, NULL) >= 0 && oci_container_commit(&other, NULL) >= 0);
        CHECK(status_of(&root, "five") == OCI_STOPPED);
        CHECK(oci_container_remove(&c, NULL) >= 0 && oci_container_remove(&other, NULL) >= 0);
}

/* The init has a copy of all descriptors for a while. */
TEST(the_lock_goes_though_a_child_has_the_descriptor) {
        _cleanup_oci_root_ OciRoot root = open_root();
        OciContainer c = make(&root, "six", 0);
        _cleanup_fd_ int copy = dup(c.dir_fd), other = openat(root.fd, "six", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        CHECK(flock(other, LOCK_EX | LOCK_NB) < 0);
        oci_container_done(&c);
        CHECK(copy >= 0 && flock(other, LOCK_EX | LOCK_NB) == 0);
}

TEST(a_record_of_another_container_is_refused) {
        _cleanup_oci_root_ OciRoot root = open_root();
        _cleanup_oci_container_ OciContainer c = make(&root, "seven", getpid()), other = OCI_CONTAINER_NULL;

        CHECK(oci_container_save(&c, NULL) >= 0 && oci_container_commit(&c, NULL) >= 0);
        CHECK(renameat(root.fd, "seven", root.fd, "eight") >= 0);
        CHECK(oci_container_open(&root, "eight", false, &other, NULL) == -EBADMSG);
        CHECK(path_remove_tree(root.fd, "eight") >= 0);
}

TEST(the_list_is_sorted_and_passes_over_other_names) {
        _cleanup_oci_root_ OciRoot root = open_root();
        _cleanup_oci_container_ OciContainer b = make(&root, "b", 0), a = make(&root, "a", 0);
        _cleanup_strv_ char **ids = NULL;

        CHECK(mkdirat(root.fd, ".cache", 0700) >= 0 && path_remove_tree(root.fd, "six") >= 0);
        CHECK(oci_container_list(&root, &ids, NULL) >= 0);
        CHECK(strv_length(ids) == 2 && str_equal(ids[0], "a") && str_equal(ids[1], "b"));
}

TEST(a_directory_that_others_can_write_is_refused) {
        _cleanup_oci_root_ OciRoot root = open_root(), other = OCI_ROOT_NULL;
        GlobalOptions global = GLOBAL_OPTIONS_NULL;

        CHECK(fchmod(root.fd, 0777) >= 0);
        global.root = str_format("%s/below/it", directory);
        CHECK(oci_root_open(&global, true, &other, NULL) == -EPERM);
        free(global.root);
        CHECK(fchmod(root.fd, 0700) >= 0);
}

TEST(an_ordinary_users_directory) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        GlobalOptions global = GLOBAL_OPTIONS_NULL;
        _cleanup_free_ char *path = str_format("%s/sdpod-oci", directory);
        struct stat st;

        if (geteuid() != 0) {
                CHECK(setenv("XDG_RUNTIME_DIR", directory, 1) >= 0);
                CHECK(oci_root_open(&global, true, &root, NULL) >= 0);
                CHECK(str_equal(root.path, path) && fstat(root.fd, &st) >= 0 && (st.st_mode & 07777) == 01700);
        }
        CHECK(path_remove_tree(AT_FDCWD, directory) >= 0);
}
