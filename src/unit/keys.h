/* SPDX-License-Identifier: Apache-2.0 */
/* Every key that the eight types of unit files know, in one place, and the types themselves.
 *
 * The names are those of podman-systemd.unit(5): the files are the same files. Which type takes which key, and what
 * becomes of it, is in the table of that type (container.c, volume.c, ...), in the order of the flags it makes. */
#pragma once

#include "unit/buffer.h"

typedef enum UnitType {
        UNIT_ARTIFACT,
        UNIT_BUILD,
        UNIT_CONTAINER,
        UNIT_IMAGE,
        UNIT_KUBE,
        UNIT_NETWORK,
        UNIT_POD,
        UNIT_VOLUME,
        _UNIT_TYPE_MAX,
        _UNIT_TYPE_INVALID = -EINVAL,
} UnitType;

/* Sorted, and each only once: a test says so. */
#define UNIT_KEYS(K) \
        K(AddCapability) K(AddDevice) K(AddHost) K(AllTags) K(Annotation) K(AppArmor) K(Arch) K(Artifact)   \
        K(AuthFile) K(AutoUpdate) K(BuildArg) K(CertDir) K(CgroupsMode) K(ConfigMap) K(ContainerName)       \
        K(ContainersConfModule) K(Copy) K(Creds) K(DNS) K(DNSOption) K(DNSSearch) K(DecryptionKey)          \
        K(DefaultDependencies) K(Device) K(DisableDNS) K(Driver) K(DropCapability) K(Entrypoint)            \
        K(Environment) K(EnvironmentFile) K(EnvironmentHost) K(Exec) K(ExitCodePropagation) K(ExitPolicy)   \
        K(ExposeHostPort) K(File) K(ForceRM) K(GID) K(GIDMap) K(Gateway) K(GlobalArgs) K(Group) K(GroupAdd) \
        K(HealthCmd) K(HealthInterval) K(HealthLogDestination) K(HealthMaxLogCount) K(HealthMaxLogSize)     \
        K(HealthOnFailure) K(HealthRetries) K(HealthStartPeriod) K(HealthStartupCmd)                        \
        K(HealthStartupInterval) K(HealthStartupRetries) K(HealthStartupSuccess) K(HealthStartupTimeout)    \
        K(HealthTimeout) K(HostName) K(HttpProxy) K(IP) K(IP6) K(IPAMDriver) K(IPRange) K(IPv6)             \
        K(IgnoreFile) K(Image) K(ImageTag) K(InterfaceName) K(Internal) K(KubeDownForce) K(Label)           \
        K(LogDriver) K(LogOpt) K(Mask) K(Memory) K(Mount) K(Network) K(NetworkAlias) K(NetworkDeleteOnStop) \
        K(NetworkName) K(NoNewPrivileges) K(Notify) K(OS) K(Options) K(PidsLimit) K(Pod) K(PodName)         \
        K(PodmanArgs) K(Policy) K(PublishPort) K(Pull) K(Quiet) K(ReadOnly) K(ReadOnlyTmpfs) K(ReloadCmd)   \
        K(ReloadSignal) K(RemapGid) K(RemapUid) K(RemapUidSize) K(RemapUsers) K(Retry) K(RetryDelay)        \
        K(Rootfs) K(RunInit) K(SeccompProfile) K(Secret) K(SecurityLabelDisable) K(SecurityLabelFileType)   \
        K(SecurityLabelLevel) K(SecurityLabelNested) K(SecurityLabelType) K(ServiceName)                    \
        K(SetWorkingDirectory) K(ShmSize) K(StartWithPod) K(StopSignal) K(StopTimeout) K(SubGIDMap)         \
        K(SubUIDMap) K(Subnet) K(Sysctl) K(TLSVerify) K(Target) K(Timezone) K(Tmpfs) K(Type) K(UID)         \
        K(UIDMap) K(Ulimit) K(Unmask) K(User) K(UserNS) K(Variant) K(VolatileTmp) K(Volume) K(VolumeName)   \
        K(WorkingDir) K(Yaml)

typedef enum UnitKey {
        KEY_NONE,
#define DEFINE_KEY(name) KEY_##name,
        UNIT_KEYS(DEFINE_KEY)
#undef DEFINE_KEY
        _UNIT_KEY_MAX,
} UnitKey;

/* What a row of a type's table makes of its key. The letter is the kind of look-up (see convert.h). */
typedef enum UnitKind {
        KIND_ELSEWHERE,    /* another row's call, or the code around the command, reads it */
        KIND_STRING,       /* last value: FLAG PREFIXvalue */
        KIND_JOINED,       /* last value: FLAG=value */
        KIND_JOINED_EMPTY, /* the same, and an empty value counts */
        KIND_LINES,        /* every line: FLAG value */
        KIND_WORDS,        /* every word of every line: FLAG word */
        KIND_WORDS_LOWER,  /* the same in lower case */
        KIND_WORD_PATHS,   /* the same, relative to the file's directory */
        KIND_ARGS,         /* every word, escapes decoded: FLAG PREFIXword */
        KIND_PATHS,        /* the same as KIND_ARGS, relative to the file's directory */
        KIND_PAIRS,        /* KEY=VALUE words, the last of a KEY wins, sorted: FLAG KEY=VALUE */
        KIND_BOOL,         /* FLAG or FLAG=false */
        KIND_SWITCH,       /* FLAG [PREFIX] where true */
        KIND_CALL,         /* a function adds what it takes */
        KIND_ALWAYS,       /* the same, also where the key is not set */
} UnitKind;

struct Convert;

typedef struct UnitRow {
        UnitKey key;
        UnitKind kind;
        const char *flag;
        const char *prefix;
        int (*call)(struct Convert *c);
} UnitRow;

enum { UNIT_ORDER_MAX = 5 };

typedef struct UnitTypeInfo {
        const char *name;      /* "container": the suffix of the file */
        const char *group;     /* "Container" */
        const char *infix;     /* what is added to the file's base name to make the service's: "-volume" */
        unsigned order;        /* references are to types that are converted earlier */
        const UnitRow *rows;   /* in the order of the flags */
        size_t n_rows;
        int (*convert)(struct Convert *c);
} UnitTypeInfo;

const UnitTypeInfo *unit_type_info(UnitType type) _pure_;

/* By the suffix of a file's name ("web.container"); _UNIT_TYPE_INVALID if it is none of ours. */
UnitType unit_type_from_file(const char *name) _pure_;

/* By the group's name ("Container"). */
UnitType unit_type_from_group(const char *group) _pure_;

/* KEY_NONE if no type has a key of this name. Case matters. */
UnitKey unit_key_from_string(const char *name) _pure_;
const char *unit_key_to_string(UnitKey key) _pure_;

/* The row of a key in a type's table; NULL if the type does not take it. */
const UnitRow *unit_type_row(UnitType type, UnitKey key) _pure_;

/* The key of that type which a mistyped name most likely meant; NULL if none is near. */
const char *unit_key_nearest(UnitType type, const char *name) _pure_;
