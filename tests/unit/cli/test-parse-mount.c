/* SPDX-License-Identifier: Apache-2.0 */
/* --volume, --mount and --tmpfs. */
#include <unistd.h>

#include "base/str.h"
#include "base/test.h"
#include "cli/parse-mount.h"

/* A mount as "type|source|destination|options" or "-CODE". */
static char *mount_text(int r, const ContainerConfig *config) {
        if (r < 0)
                return str_format("-%s", strerrorname_np(-r));
        const ContainerMount *m = &config->mounts[config->n_mounts - 1];
        _cleanup_free_ char *options = strv_join(m->options ?: (char *[]){ NULL }, ",");

        return str_format("%s%s|%s|%s|%s", m->type, m->anonymous ? "!" : "", m->source ?: "", m->destination, options);
}

typedef int (*Parser)(ContainerConfig *config, const char *value, Error *reterr);
typedef struct Row {
        const char *value, *wanted;
} Row;

static void check_mounts(Parser parse, const Row *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                int r = parse(&config, rows[i].value, &error);
                _cleanup_free_ char *text = mount_text(r, &config);

                test_note("%s: %s", rows[i].value, error.message ?: "");
                CHECK_STR(text, rows[i].wanted);
                CHECK(r >= 0 || (error.message && config.n_mounts == 0));
        }
}

TEST(volumes) {
        static const Row rows[] = {
                { "/a:/b", "bind|/a|/b|" },
                { "/a:/b:ro,z", "bind|/a|/b|ro,z" },
                { "/a/../c//:/b/./d/", "bind|/c|/b/d|" },
                { "./x:/b", "bind|/tmp/x|/b|" },
                { ".:/b", "bind|/tmp|/b|" },
                { "..:/b:U", "bind|/|/b|U" },
                { "data:/b", "volume|data|/b|" },
                { "data:/b:nocopy,exec,nosuid,nodev", "volume|data|/b|nocopy,exec,nosuid,nodev" },
                { "/b", "volume!||/b|" },
                { "/a:/b:", "bind|/a|/b|" },
                { "/a:/b:,ro,", "bind|/a|/b|ro" },
                { "/a:/b:cached", "bind|/a|/b|" },
                { "/a:/b:rshared,noexec", "bind|/a|/b|rshared,noexec" },
                { "/a:/b:O", "bind|/a|/b|O" },
                { "", "-EINVAL" },
                { ":", "-EINVAL" },
                { ":/b", "-EINVAL" },
                { "/a:", "-EINVAL" },
                { "/a:b", "-EINVAL" },
                { "b", "-EINVAL" },
                { "/a:/", "-EINVAL" },
                { "/a:/..", "-EINVAL" },
                { "/a:/b:ro:rw", "-EINVAL" },
                { "/a:/b:ro,rw", "-EINVAL" },
                { "/a:/b:ro,ro", "-EINVAL" },
                { "/a:/b:z,Z", "-EINVAL" },
                { "/a:/b:Z,O", "-EINVAL" },
                { "/a:/b:shared,private", "-EINVAL" },
                { "/a:/b:nonsense", "-EINVAL" },
                { "/a:/b:size=1m", "-EINVAL" },
                { "/a:/b:ro=true", "-EINVAL" },
                { "/a:/b:copy", "-EINVAL" },
                { "a/b:/b", "-EINVAL" },
                { "-x:/b", "-EINVAL" },
                { "a b:/b", "-EINVAL" },
                { "/a:/b:idmap", "-EOPNOTSUPP" },
                { "/a:/b:O,upperdir=/x,workdir=/y", "bind|/a|/b|O,upperdir=/x,workdir=/y" },
                { "data:/b:O,U", "volume|data|/b|O,U" },
                { "/a:/b:upperdir=/x", "-EINVAL" },
                { "/a:/b:O,upperdir=/x", "-EINVAL" },
                { "/a:/b:upperdir=/x,workdir=/y", "-EINVAL" },
                { "/a:/b:O,upperdir=x,workdir=/y", "-EINVAL" },
                { "/a:/b:O,ro", "-EINVAL" },
                { "/a:/b:O,O", "-EINVAL" },
        };

        CHECK_INT(chdir("/tmp"), 0);
        check_mounts(parse_volume, rows, ELEMENTSOF(rows));
}

TEST(mounts) {
        static const Row rows[] = {
                { "type=bind,src=/a,dst=/b", "bind|/a|/b|" },
                { "type=bind,source=./a,target=/b,ro", "bind|/tmp/a|/b|ro" },
                { "type=bind,source=a,target=/b", "bind|/tmp/a|/b|" },
                { "type=bind,source=/a,destination=/b,readonly=true,relabel=shared", "bind|/a|/b|ro,z" },
                { "type=bind,src=/a,dst=/b,relabel=private,U=true", "bind|/a|/b|Z,U" },
                { "type=bind,src=/a,dst=/b,ro=false", "bind|/a|/b|rw" },
                { "type=bind,src=/a,dst=/b,chown=false", "bind|/a|/b|" },
                { "type=bind,src=/a,dst=/b,bind-propagation=rslave,bind-nonrecursive", "bind|/a|/b|rslave,bind" },
                { "type=bind,src=/a,dst=/b,idmap=false", "bind|/a|/b|" },
                { "type=bind,src=/a,dst=/b,consistency=cached", "bind|/a|/b|" },
                { "\"src=/a,b\",dst=/c,type=bind", "bind|/a,b|/c|" },
                { "src=data,dst=/b", "volume|data|/b|" },
                { "dst=/b", "volume!||/b|" },
                { "type=volume,src=,dst=/b", "volume!||/b|" },
                { "type=volume,src=data,dst=/b,volume-nocopy", "volume|data|/b|nocopy" },
                { "type=tmpfs,dst=/b,tmpfs-size=512m,tmpfs-mode=700", "tmpfs||/b|size=512m,mode=700" },
                { "type=tmpfs,dst=/b,size=50%,notmpcopyup", "tmpfs||/b|size=50%,notmpcopyup" },
                { "", "-EINVAL" },
                { "type=bind", "-EINVAL" },
                { "type=bind,dst=/b", "-EINVAL" },
                { "type=bind,src=/a", "-EINVAL" },
                { "type=bind,src=/a,dst=b", "-EINVAL" },
                { "type=bind,src=/a,src=/c,dst=/b", "-EINVAL" },
                { "type=bind,src,dst=/b", "-EINVAL" },
                { "type=bind,src=/a,dst=/b,relabel=maybe", "-EINVAL" },
                { "type=bind,src=/a,dst=/b,ro=maybe", "-EINVAL" },
                { "type=bind,src=/a,dst=/b,ro,readonly", "-EINVAL" },
                { "type=bind,src=/a,dst=/b,bind-propagation", "-EINVAL" },
                { "type=bind,src=/a,dst=/b,tmpfs-size=1m", "-EINVAL" },
                { "type=tmpfs,dst=/b,src=/a", "-EINVAL" },
                { "type=tmpfs,dst=/b,tmpfs-size=lots", "-EINVAL" },
                { "type=tmpfs,dst=/b,tmpfs-mode=999", "-EINVAL" },
                { "type=tmpfs,dst=/b,size=200%", "-EINVAL" },
                { "type=tmpfs,dst=/b,size", "-EINVAL" },
                { "type=floppy,dst=/b", "-EINVAL" },
                { "type=bind,\"src=/a,dst=/b", "-EINVAL" },
                { "type=volume,src=../x,dst=/b", "-EINVAL" },
                { "type=image,src=a:1,dst=/b", "image|a:1|/b|" },
                { "type=image,src=a,dst=/b,readwrite=true,subpath=/etc", "image|a|/b|rw,subpath=/etc" },
                { "type=image,dst=/b", "-EINVAL" },
                { "type=image,src=a,dst=/b,O", "-EINVAL" },
                { "type=volume,src=data,dst=/b,volume-subpath=x/y", "volume|data|/b|subpath=x/y" },
                { "type=volume,src=data,dst=/b,subpath=", "-EINVAL" },
                { "type=bind,src=/a,dst=/b,subpath=x", "-EINVAL" },
                { "type=volume,src=data,dst=/b,volume-opt=o=x", "-EOPNOTSUPP" },
                { "type=devpts,dst=/b,uid=1,gid=5,mode=620,max=3", "devpts||/b|uid=1,gid=5,mode=620,max=3" },
                { "type=devpts,dst=/b,max=0", "-EINVAL" },
                { "type=devpts,dst=/b,size=1", "-EINVAL" },
                { "type=devpts,dst=/b,src=/a", "-EINVAL" },
                { "type=ramfs,dst=/b,tmpfs-mode=700,U", "ramfs||/b|mode=700,U" },
                { "type=ramfs,dst=/b,tmpfs-size=1m", "-EINVAL" },
                { "type=bind,src=/a,dst=/b,bind-recursive=disabled,no-dereference", "bind|/a|/b|bind,no-dereference" },
                { "type=bind,src=/a,dst=/b,bind-recursive=readonly", "-EINVAL" },
                { "type=bind,src=/a,dst=/b,bind-recursive=enabled,bind-nonrecursive", "-EINVAL" },
                { "type=glob,src=/proc/self/stat,dst=/b,ro", "bind|/proc/self/stat|/b/stat|ro" },
                { "type=glob,src=/proc/self/sta[t]", "bind|/proc/self/stat|/proc/self/stat|" },
                { "type=glob,src=/nonexistent/*", "-ENOENT" },
                { "type=glob,dst=/b", "-EINVAL" },
                { "type=artifact,src=a,dst=/b", "-EOPNOTSUPP" },
                { "type=bind,src=/a,dst=/b,idmap", "-EOPNOTSUPP" },
        };

        CHECK_INT(chdir("/tmp"), 0);
        check_mounts(parse_mount, rows, ELEMENTSOF(rows));
}

TEST(tmpfs) {
        static const Row rows[] = {
                { "/run", "tmpfs||/run|" },
                { "/run/:rw,size=787448k,mode=1777", "tmpfs||/run|rw,size=787448k,mode=1777" },
                { "/run:noexec,uid=5,gid=6,nr_inodes=1k", "tmpfs||/run|noexec,uid=5,gid=6,nr_inodes=1k" },
                { "", "-EINVAL" },
                { "run", "-EINVAL" },
                { "/", "-EINVAL" },
                { "/run:size=", "-EINVAL" },
                { "/run:mode=rwx", "-EINVAL" },
                { "/run:uid=-1", "-EINVAL" },
                { "/run:z", "-EINVAL" },
                { "/run:huge=always", "-EINVAL" },
        };

        check_mounts(parse_tmpfs, rows, ELEMENTSOF(rows));
}

TEST(one_mount_a_place) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;

        CHECK_INT(parse_volume(&config, "/a:/x", NULL), 0);
        CHECK_INT(parse_tmpfs(&config, "/x/", NULL), -EINVAL);
        CHECK_INT(parse_mount(&config, "dst=/y/../x", NULL), -EINVAL);
        CHECK_INT(parse_volume(&config, "/a:/x", NULL), 0); /* the same again */
        CHECK_INT(parse_volume(&config, "/a/.:/x/", NULL), 0);
        CHECK_INT(parse_volume(&config, "/a:/x:ro", NULL), -EINVAL);
        CHECK_INT(parse_volume(&config, "/b:/x", NULL), -EINVAL);
        CHECK_INT(parse_volume(&config, "a:/x", NULL), -EINVAL);
        CHECK_INT(config.n_mounts, 1);
        CHECK_INT(parse_volume(&config, "/anonymous", NULL), 0);
        CHECK_INT(parse_volume(&config, "/anonymous", NULL), -EINVAL);
}
