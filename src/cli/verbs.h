/* SPDX-License-Identifier: Apache-2.0 */
/* Every verb there is; each is defined in the file of its name, verb-NAME.c. */
#pragma once

#include "cli/verb.h"

extern const Verb verb_complete;
extern const Verb verb_container_exists;
extern const Verb verb_container_inspect;
extern const Verb verb_container_prune;
extern const Verb verb_create;
extern const Verb verb_events;
extern const Verb verb_exec;
extern const Verb verb_help;
extern const Verb verb_history;
extern const Verb verb_image_exists;
extern const Verb verb_image_inspect;
extern const Verb verb_image_prune;
extern const Verb verb_image_tree;
extern const Verb verb_images;
extern const Verb verb_import;
extern const Verb verb_info;
extern const Verb verb_inspect;
extern const Verb verb_kill;
extern const Verb verb_load;
extern const Verb verb_logs;
extern const Verb verb_pause;
extern const Verb verb_port;
extern const Verb verb_ps;
extern const Verb verb_rename;
extern const Verb verb_restart;
extern const Verb verb_rm;
extern const Verb verb_rmi;
extern const Verb verb_run;
extern const Verb verb_save;
extern const Verb verb_start;
extern const Verb verb_stop;
extern const Verb verb_system_df;
extern const Verb verb_system_migrate;
extern const Verb verb_system_prune;
extern const Verb verb_system_renumber;
extern const Verb verb_system_reset;
extern const Verb verb_tag;
extern const Verb verb_top;
extern const Verb verb_unit_ended;
extern const Verb verb_unit_fault;
extern const Verb verb_unit_start;
extern const Verb verb_unit_stop;
extern const Verb verb_unpause;
extern const Verb verb_untag;
extern const Verb verb_version;
extern const Verb verb_volume_create;
extern const Verb verb_volume_exists;
extern const Verb verb_volume_inspect;
extern const Verb verb_volume_ls;
extern const Verb verb_volume_prune;
extern const Verb verb_volume_rm;
extern const Verb verb_wait;
