/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/test.h"

/* `reterr` may be NULL everywhere: the code alone travels then. */
TEST(without_an_error_object_the_code_travels) {
        CHECK_INT(error_set(NULL, -EBUSY, ERROR_IN_USE, "cannot %s", "do it"), -EBUSY);
        CHECK_INT(error_set_errno(NULL, -ENOENT, "cannot find it"), -ENOENT);
        CHECK_INT(error_prefix(NULL, -EACCES, "more"), -EACCES);
        CHECK_INT(error_oom(NULL), -ENOMEM);
        CHECK_INT(error_with_hint(NULL, -ENOENT, "make it"), -ENOENT);
        error_done(NULL);
}

TEST(a_message_is_built_on_the_way) {
        _cleanup_error_ Error error = ERROR_NULL, other = ERROR_NULL;

        CHECK_INT(error_set_errno(&error, -ENOENT, "cannot open '%s'", "x"), -ENOENT);
        CHECK_INT(error_with_hint(&error, -ENOENT, "make it"), -ENOENT);
        CHECK_INT(error_prefix(&error, -ENOENT, "container 'c'"), -ENOENT);
        CHECK_STR(error.message, "container 'c': cannot open 'x': No such file or directory");
        CHECK_STR(error.hint, "make it");
        CHECK_INT(error.kind, ERROR_NOT_FOUND);
        CHECK_INT(error_move(&other, &error), -ENOENT);
        CHECK_INT(error.code, 0);
        CHECK(!error.message);
        CHECK_STR(other.hint, "make it");
        CHECK_INT(error_set(&other, -EINVAL, ERROR_INVALID, "another"), -EINVAL);
        CHECK(!other.hint);
}

TEST(exit_statuses_and_kinds) {
        CHECK_INT(error_exit_status(&(Error){ .kind = ERROR_COMMAND_NOT_FOUND }), 127);
        CHECK_INT(error_exit_status(&(Error){ .kind = ERROR_NOT_EXECUTABLE }), 126);
        CHECK_INT(error_exit_status(&(Error){ .kind = ERROR_IN_USE }), 125);
        CHECK_INT(error_exit_status(&(Error){ .kind = 1000 }), 125);
        for (int kind = 0; kind < _ERROR_KIND_MAX; kind++)
                CHECK_INT(error_kind_from_string(error_kind_to_string((ErrorKind) kind)), kind);
        CHECK_INT(error_kind_from_string("no such word"), ERROR_INTERNAL);
}
