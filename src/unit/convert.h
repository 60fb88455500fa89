/* SPDX-License-Identifier: Apache-2.0 */
/* From a unit file to the service that carries it out: what all types have in common, and their tables. */
#pragma once

#include "unit/set.h"
#include "unit/value.h"

extern const UnitTypeInfo unit_artifact_info, unit_build_info, unit_container_info, unit_image_info, unit_kube_info,
                          unit_network_info, unit_pod_info, unit_volume_info;

/* One conversion. All strings live until the next one. */
typedef struct Convert {
        UnitSet *set;
        Unit *unit;
        Arena *arena;
        Words argv;          /* the command that the rows add to */
        Text first;          /* lines that go in front of those of [Unit] */
        Text last;           /* lines after those of [Unit] */
        Text service;        /* lines after those of [Service] */
        const char *name;    /* of the container, volume ...: for Exec lines */
} Convert;

/* Makes the whole text of the service. 0; -EINVAL when the unit has a fault (it is reported and kept in the unit);
 * -ENOMEM. */
int unit_convert(Convert *c, Unit *unit, Text *ret);
void unit_convert_done(Convert *c);

/* The text of a service of the same name that does nothing but fail with the unit's fault when it is started. */
void unit_convert_fault(const Unit *unit, const char *sdpod, Arena *arena, Text *ret);

/* --- for the types' own files --- */

/* A fault at a line of the unit (`at` may be NULL). Returns -EINVAL. */
int convert_fail(Convert *c, const UnitEntry *at, const char *format, ...) _printf_(3, 4);

/* Look-ups in the type's own group. A string is NULL where the key is not set or empty. convert_bool() leaves *ret as
 * it is where the key is not set or empty. */
const char *convert_string(Convert *c, UnitKey key);
int convert_bool(Convert *c, UnitKey key, bool *ret);
int convert_words(Convert *c, UnitKey key, UnitSplit how, Words *words);

/* The last value of a key in [Service], NULL where it is not set. */
const char *convert_service_key(const Convert *c, const char *name);

/* Lines of the service: added, or only where the author has not set the key, or in the place of what he has set. */
void convert_add_service(Convert *c, const char *key, const char *value);
void convert_default_service(Convert *c, const char *key, const char *value);
void convert_replace_service(Convert *c, const char *key, const char *value);
void convert_add_unit(Convert *c, const char *key, const char *value);

/* An Exec line: the tool, the modules and global arguments of the unit, then these words. `prefix` is "-" or "". */
int convert_add_exec(Convert *c, const char *key, const char *prefix, const char *const *words, size_t n);
#define convert_add_exec_words(c, key, prefix, ...)                                                              \
        ({                                                                                                       \
                const char *_words[] = { __VA_ARGS__ };                                                          \
                convert_add_exec((c), (key), (prefix), _words, ELEMENTSOF(_words));                              \
        })

/* Adds flags to argv: words as they are (NULL counts as out of memory), or all rows of the type's table. */
void convert_add(Convert *c, const char *word);
void convert_add_two(Convert *c, const char *flag, const char *value);
int convert_add_rows(Convert *c);

/* ExecStart= of a volume or a network: `WHAT create --ignore ...` with the rows, once and for as long as the unit is active. */
int convert_create(Convert *c, const char *what);

/* Type=oneshot and its company, where the author has not set them. */
void convert_oneshot(Convert *c, bool remain_after_exit);

/* KillMode=, Type=notify and its company for .container and .kube. `ret_oneshot`: the author wants Type=oneshot. */
int convert_kill_mode(Convert *c);
int convert_notify_type(Convert *c, bool *ret_oneshot);

/* A path relative to the file's directory made absolute, for an Exec line (or for a plain one, where `$` means
 * itself). */
const char *convert_path(Convert *c, const char *path, bool exec);

/* Image= of a container or volume: X.image and X.build become the image's name. */
int convert_image(Convert *c, const UnitEntry *at, const char *image, const char **ret);

/* The source of a volume or mount: ./x, /x, X.volume and, for mounts, X.image and X.artifact. */
int convert_source(Convert *c, const UnitEntry *at, const char *source, bool mount, const char **ret);

/* Rows that several types share. */
int convert_call_networks(Convert *c);
int convert_call_volumes(Convert *c);
int convert_call_user_mappings(Convert *c);
int convert_call_user_mappings_not_manual(Convert *c);
int convert_call_mounts(Convert *c);

/* PodmanArgs=: words as they are. */
int convert_call_podman_args(Convert *c);

/* SetWorkingDirectory= of .kube ("yaml", "unit") and .build ("file", "unit", a path, a URL): the WorkingDirectory= of
 * the service unless the author has set one. `file_word` says which word stands for the directory of `file` (may be
 * NULL). *ret_context is the path or URL itself, where it is one, *ret_directory what the service has now; both may
 * be NULL. */
int convert_working_directory(Convert *c, const char *file_word, const char *file, const char **ret_context,
                              const char **ret_directory);
