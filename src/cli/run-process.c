/* SPDX-License-Identifier: Apache-2.0 */
/* What options of run and create mean together that concern the process, its user and its life. */
#include "base/str.h"
#include "cli/run-options.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

static int check_files(const ContainerConfig *c, Error *reterr) {
        if (c->no_hosts && c->hosts_file)
                return INVALID("cannot use --no-hosts with --hosts-file");
        if (c->pid_file && str_equal(c->pid_file, c->conmon_pid_file))
                return INVALID("cannot use --pidfile and --conmon-pidfile with the same file");
        if (c->no_passwd && (c->passwd_entry || c->group_entry || c->host_users))
                return INVALID("cannot use --passwd=false with --hostuser, --passwd-entry or --group-entry");
        return 0;
}

static int check_user(const RunOptions *o, Error *reterr) {
        const ContainerConfig *c = &o->config;

        if (strv_contains(c->group_add, "keep-groups") && strv_length(c->group_add) > 1)
                return INVALID("cannot use '--group-add keep-groups' together with another --group-add");
        if (c->userns && (o->uid_maps || o->gid_maps))
                return INVALID("cannot use --userns with --uidmap or --gidmap");
        if ((o->sub_uid_name || o->sub_gid_name) && (c->userns || o->uid_maps || o->gid_maps || c->n_uid_map > 0 || c->n_gid_map > 0))
                return INVALID("cannot use --subuidname or --subgidname with --userns, --uidmap or --gidmap");
        return 0;
}

int run_options_finish_process(RunOptions *o, const Invocation *in, Error *reterr) {
        ContainerConfig *c = &o->config;
        int r = check_files(c, reterr);

        if (r >= 0)
                r = check_user(o, reterr);
        if (r < 0)
                return r;
        if (options_given(&in->parse, "health-log-destination") && o->no_healthcheck)
                return INVALID("cannot use --no-healthcheck with --health-log-destination");
        if (o->use_rootfs && (c->passwd_entry || c->group_entry || c->host_users))
                return INVALID("cannot use --hostuser, --passwd-entry or --group-entry with --rootfs: nothing is written to its passwd and group");
        if (c->remove_image && o->use_rootfs)
                return INVALID("cannot use --rmi with --rootfs: there is no image");
        if (c->remove_image)
                c->auto_remove = true;
        if (o->cidfile && str_replace(&c->cid_file, o->cidfile) < 0)
                return error_oom(reterr);
        return 0;
}
