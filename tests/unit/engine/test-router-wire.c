/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to the router that are not what they must be. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/test.h"
#include "engine/router-wire.h"

static int check(const char *text) {
        _cleanup_router_request_ RouterRequest request = {};

        CHECK_INT(json_fields_parse(text, strlen(text), router_request_fields, &request, /* reterr= */ NULL), 0);
        return router_request_check(&request, /* reterr= */ NULL);
}

#define LINK "{\"network\":\"a\",\"interfaceName\":\"eth0\",\"mac\":\"02:00:00:00:00:01\"}"

TEST(requests_that_lack_something_are_refused) {
        static const char *const bad[] = {
                "{\"name\":\"a\"}", "{\"id\":\"1\"}", "{\"id\":\"\",\"name\":\"a\"}", "{\"id\":\"1\",\"name\":null}",
                "{\"id\":\"1\",\"name\":\"a\",\"links\":[{\"interfaceName\":\"eth0\",\"mac\":\"02:00:00:00:00:01\"}]}",
                "{\"id\":\"1\",\"name\":\"a\",\"links\":[" LINK ",{\"network\":null,\"interfaceName\":\"eth0\",\"mac\":\"02:00:00:00:00:01\"}]}",
                "{\"id\":\"1\",\"name\":\"a\",\"links\":[{\"network\":\"a\",\"mac\":\"02:00:00:00:00:01\"}]}",
                "{\"id\":\"1\",\"name\":\"a\",\"links\":[{\"network\":\"a\",\"interfaceName\":\"eth0\"}]}",
                "{\"id\":\"1\",\"name\":\"a\",\"links\":[" LINK "],\"ports\":[{}]}",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(check(bad[i]), -EINVAL);
        CHECK_INT(check("{\"id\":\"1\",\"name\":\"a\"}"), 0);
        CHECK_INT(check("{\"id\":\"1\",\"name\":\"a\",\"links\":[" LINK "]}"), 0);
}

TEST(a_message_is_a_file_and_nothing_that_must_be_waited_for) {
        int pair[2], ends[2], fds[ROUTER_FDS_MAX];
        _cleanup_json_ json_t *object = NULL;
        size_t n = 0;

        CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        CHECK_INT(pipe(ends), 0);
        CHECK_INT(write(ends[1], "{}", 2), 2);
        (void) close(ends[1]);
        CHECK_INT(io_send_fds(pair[0], "j", 1, ends, 1), 0);
        CHECK_INT(router_wire_receive(pair[1], &object, fds, &n), -EBADMSG);
        CHECK(!object);
        (void) close(ends[0]);
        (void) close(pair[0]);
        (void) close(pair[1]);
}
