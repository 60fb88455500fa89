/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "registry/policy.h"

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"
#define SIGNED "[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}]"

static const char text[] = "{\"default\":" REJECT ",\"transports\":{\"docker\":{"
                           "\"docker.io/library/busybox\":" ACCEPT ",\"docker.io/library/busybox:bad\":" REJECT ","
                           "\"quay.io\":" ACCEPT ",\"quay.io/evil\":" REJECT ",\"quay.io/signed\":" SIGNED ","
                           "\"*.good.example\":" ACCEPT ",\"r.example:5000\":" ACCEPT "},"
                           "\"docker-archive\":{\"\":" ACCEPT "},\"dir\":{\"/srv/ok\":" ACCEPT ",\"/srv/ok/not\":" REJECT "}}}";

TEST(scopes) {
        static const struct {
                const char *transport, *name;
                int r;
        } rows[] = {
                { "docker", "docker.io/library/busybox:latest", 0 },
                { "docker", "docker.io/library/busybox:bad", -EACCES },
                { "docker", "docker.io/library/busybox@sha256:abc", 0 },
                { "docker", "docker.io/library/busyboxes:latest", -EACCES },
                { "docker", "quay.io/a/b/c:1", 0 },
                { "docker", "quay.io/evil/b:1", -EACCES },
                { "docker", "quay.io/signed/b:1", -EACCES },
                { "docker", "quay.io.evil/x:1", -EACCES },
                { "docker", "a.good.example/x:1", 0 },
                { "docker", "b.a.good.example:99/x:1", 0 },
                { "docker", "good.example/x:1", -EACCES },
                { "docker", "r.example:5000/x:1", 0 },
                { "docker", "r.example:5001/x:1", -EACCES },
                { "docker-archive", "/tmp/x.tar", 0 },
                { "oci-archive", "/tmp/x.tar", -EACCES },
                { "dir", "/srv/ok/a/b", 0 },
                { "dir", "/srv/ok/not/b", -EACCES },
                { "dir", "/srv/okay", -EACCES },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                test_note("%s:%s", rows[i].transport, rows[i].name);
                CHECK_INT(policy_check_text(text, strlen(text), "p", rows[i].transport, rows[i].name, NULL), rows[i].r);
        }
}

TEST(what_is_not_understood_refuses_everything) {
        static const char *const bad[] = {
                "{}", "[]", "{\"default\":[]}", "{\"default\":" ACCEPT ",\"x\":1}", "{\"default\":[{\"type\":\"x\"}]}", "{\"default\":[{}]}",
                "{\"default\":[{\"type\":\"reject\",\"y\":1}]}", "{\"default\":[{\"type\":\"insecureAcceptAnything\",\"keyPath\":\"/x\"}]}",
                "{\"default\":" ACCEPT ",\"transports\":[]}", "{\"default\":" ACCEPT ",\"transports\":{\"docker\":[]}}",
                "{\"default\":" ACCEPT ",\"transports\":{\"dir\":{\"\":[]}}}", "{\"default\":" ACCEPT ",\"default\":" ACCEPT "}",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                test_note("%s", bad[i]);
                CHECK(policy_check_text(bad[i], strlen(bad[i]), "p", "docker", "quay.io/x:1", NULL) < 0);
        }
        CHECK_INT(policy_check_text("{\"default\":" ACCEPT "}", strlen("{\"default\":" ACCEPT "}"), "p", "docker", "quay.io/x:1", NULL), 0);
}
