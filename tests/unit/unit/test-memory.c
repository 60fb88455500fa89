/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that runs out at any place is an error, never half a service and never a crash. */
#include "base/str.h"
#include "base/test.h"
#include "unit/convert.h"

void *__real_malloc(size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_calloc(size_t n, size_t size);

static long left = -1; /* allocations until the first that fails; negative: none does */

static bool fails(void) {
        if (left < 0)
                return false;
        if (left > 0) {
                left--;
                return false;
        }
        return true;
}

void *__wrap_malloc(size_t size) {
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *p, size_t size) {
        return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

static void ignore(void *userdata, UnitSeverity severity, const char *text) {
        (void) userdata;
        (void) severity;
        (void) text;
}

/* Returns 0 with the text, or -ENOMEM. */
static int convert(const char *name, const char *source, size_t size, char **ret) {
        UnitSet set = { .tool = "/usr/bin/sdpod", .sdpod = "/usr/bin/sdpod", .report = ignore };
        Unit *unit = NULL;
        Arena arena = {};
        Convert c = { .set = &set, .arena = &arena };
        Text text = {};

        int r = unit_set_add_text(&set, "/d", name, source, size, &unit);
        if (r >= 0)
                r = unit_set_name(&set);
        if (r >= 0)
                r = unit->broken ? -EINVAL : unit_convert(&c, unit, &text);
        if (r >= 0)
                *ret = TAKE_PTR(text.data);
        text_done(&text);
        unit_convert_done(&c);
        arena_done(&arena);
        unit_set_done(&set);
        return r;
}

static void try_all(const char *name, const char *source) {
        size_t n_failed = 0, size = strlen(source);
        char *whole = NULL;

        left = -1;
        CHECK_INT(convert(name, source, size, &whole), 0);
        for (long n = 0;; n++) {
                _cleanup_free_ char *text = NULL;

                left = n;
                int r = convert(name, source, size, &text);
                bool ran_out = left == 0;
                left = -1;
                if (r >= 0) {
                        CHECK_STR(text, whole); /* whoever says that it went well has all of it */
                        if (!ran_out)
                                break;
                } else
                        CHECK_INT(r, -ENOMEM);
                n_failed += r < 0 ? 1 : 0;
                CHECK(n < 100000);
        }
        CHECK(n_failed > 10);
        free(whole);
}

TEST(containers) {
        Text text = {};

        text_add(&text, "# comment\n[Unit]\nAfter=all.container\n[Container]\nImage=r.x/a\n"
                        "Environment=A=1 B=2\nLabel=c=d\n"
                        "Volume=./x:/y\nMount=type=bind,src=./x,dst=/y\nRemapUsers=auto\nRemapUid=1 2\n"
                        "AddDevice=-/dev/null\nGlobalArgs=--a\nReloadCmd=x y\nSecret=s\nEnvironmentFile=f\n"
                        "Network=all.container\n"
                        "[Service]\nRestart=always\n");
        for (int i = 0; i < 2000; i++) /* enough for every buffer to grow more than once */
                text_addf(&text, "[Group%d]\nKey=%d\n[Container]\nDNS=%d\nPodmanArgs=\"word %d\"\n", i % 200, i, i, i);
        try_all("all.container", text.data);
        text_done(&text);
}

TEST(other_types) {
        try_all("a.volume", "[Volume]\nDevice=/x y\nType=bind\nUser=1\nOptions=rw\nLabel=a=b\n");
        try_all("a.network", "[Network]\nSubnet=1\nGateway=2\nOptions=a=b\n");
        try_all("a.pod", "[Pod]\nPublishPort=1\nVolume=/a:/b\n");
        try_all("a.kube", "[Kube]\nYaml=a b\nConfigMap=c\nAutoUpdate=x/y\nSetWorkingDirectory=unit\n");
        try_all("a.image", "[Image]\nImage=r.x/a\nArch=b\n");
        try_all("a.build", "[Build]\nImageTag=a\nSetWorkingDirectory=unit\nFile=f\n");
        try_all("a.artifact", "[Artifact]\nArtifact=r.x/a\n");
}
