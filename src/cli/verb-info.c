/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod info: what sdpod found on this machine, and what it does therefore. */
#include "base/json.h"
#include "cli/format.h"
#include "cli/verbs.h"
#include "cli/version-json.h"
#include "cli/yaml.h"
#include "engine/info.h"

typedef struct InfoOptions {
        char *format;
} InfoOptions;

static const Option rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(InfoOptions, format), .metavar = "TEMPLATE",
          .help = "Print by a Go template, or json" },
        {},
};
static const Option *const options[] = { rows, NULL };

/* The fields of Podman's Go structs, which templates name, and the keys of its JSON, which are these but for the case. */
static const char *const aliases[] = {
        "Host", "host", "Store", "store", "Version", "version", "Registries", "registries", "Plugins", "plugins",
        "Arch", "arch", "BuildahVersion", "buildahVersion", "CGroupsVersion", "cgroupVersion", "CgroupsVersion", "cgroupVersion", "CgroupVersion", "cgroupVersion",
        "CgroupControllers", "cgroupControllers", "CgroupManager", "cgroupManager", "CPUs", "cpus",
        "CPUUtilization", "cpuUtilization", "UserPercent", "userPercent", "SystemPercent", "systemPercent",
        "IdlePercent", "idlePercent", "Conmon", "conmon", "EventLogger", "eventLogger", "RemoteSocket", "remoteSocket", "Exists", "exists",
        "Slirp4NetNS", "slirp4netns", "Executable", "executable", "Distribution", "distribution", "Codename", "codename", "Hostname", "hostname",
        "IDMappings", "idMappings", "GIDMap", "gidmap", "UIDMap", "uidmap", "Kernel", "kernel",
        "Linkmode", "linkmode", "LogDriver", "logDriver", "MemFree", "memFree", "MemTotal", "memTotal",
        "NetworkBackend", "networkBackend", "OCIRuntime", "ociRuntime", "Name", "name", "Package", "package",
        "Path", "path", "OS", "os", "Security", "security", "AppArmorEnabled", "apparmorEnabled",
        "DefaultCapabilities", "capabilities", "Rootless", "rootless", "SECCOMPEnabled", "seccompEnabled",
        "SECCOMPProfilePath", "seccompProfilePath", "SELinuxEnabled", "selinuxEnabled",
        "ServiceIsRemote", "serviceIsRemote", "SwapFree", "swapFree", "SwapTotal", "swapTotal",
        "Uptime", "uptime", "ConfigFile", "configFile", "ContainerStore", "containerStore", "Number", "number",
        "Paused", "paused", "Running", "running", "Stopped", "stopped", "GraphDriverName", "graphDriverName",
        "GraphDriverReason", "graphDriverReason", "GraphOptions", "graphOptions", "GraphRoot", "graphRoot",
        "GraphRootAllocated", "graphRootAllocated", "GraphRootUsed", "graphRootUsed",
        "GraphStatus", "graphStatus", "ImageCopyTmpDir", "imageCopyTmpDir", "ImageStore", "imageStore",
        "RunRoot", "runRoot", "VolumePath", "volumePath", "Volume", "volume", "Network", "network", "Log", "log",
        "Authorization", "authorization", NULL,
};
static const char *const maps[] = { "graphOptions", "graphStatus", "registries", NULL };
static const char *const absent[] = { "exists", "false", NULL }; /* of a remote socket: it is left out where it is not there */
static const TemplateTypes types = { .aliases = aliases, .maps = maps, .absent = absent };

static int run(Invocation *in, Error *reterr) {
        const char *format = ((InfoOptions *) in->options)->format;
        _cleanup_json_ json_t *info = NULL, *array = NULL;
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = engine_info(store, in->global.storage_driver, &info, reterr);
        if (r < 0)
                return r;
        array = json_pack("[O]", info);
        if (!array || json_object_set_new(info, "registries", json_object()) < 0 ||
            json_object_set_new(info, "plugins", json_pack("{s:n, s:[s], s:[s,s,s,s,s,s,s], s:[s,s,s,s]}", "authorization", "volume", "local", "network",
                                                           "bridge", "host", "ipvlan", "macvlan", "none", "slirp4netns", "vxlan", "log", "journald", "k8s-file",
                                                           "none", "passthrough")) < 0 ||
            json_object_set_new(info, "version", version_to_json()) < 0)
                return error_oom(reterr);
        if (!format) {
                yaml_print(info, stdout);
                return 0;
        }
        return format_is_json(format) ? format_json(info, 2, stdout, reterr)
                                      : format_objects(format, &types, array, stdout, reterr);
}

const Verb verb_info = {
        .summary = "Show what sdpod found on this machine",
        .options = options,
        .options_size = sizeof(InfoOptions),
        .run = run,
};
