/* SPDX-License-Identifier: Apache-2.0 */
/* [Build]: `sdpod build`, and the directory that a build or a kube file is read in. */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "unit/convert.h"
#include "unit/name.h"

static bool is_url(const char *s) {
        const char *host = s ? strstr(s, "github.com/") : NULL;

        return s && (str_after(s, "http://") || str_after(s, "https://") || str_after(s, "git://") ||
                     (host && host[STRLEN("github.com/")]));
}

int convert_working_directory(Convert *c, const char *file_word, const char *file, const char **ret_context,
                              const char **ret_directory) {
        const UnitEntry *e = unit_file_last(&c->unit->file, KEY_SetWorkingDirectory);
        const char *word = convert_string(c, KEY_SetWorkingDirectory),
                   *set = convert_service_key(c, "WorkingDirectory");
        bool build = c->unit->type == UNIT_BUILD;
        const char *beside = c->unit->path;

        *ret_context = NULL;
        *ret_directory = str_empty(set) ? NULL : set;
        if (!word)
                return 0;
        if (strcasecmp(word, file_word) == 0) {
                if (!file)
                        return convert_fail(c, e, "no %s key specified", build ? "File" : "Yaml");
                beside = file;
        } else if (strcasecmp(word, "yaml") == 0 || strcasecmp(word, "file") == 0)
                return convert_fail(c, e, "SetWorkingDirectory=%s is only supported in .%s files", word,
                                    build ? "kube" : "build");
        else if (strcasecmp(word, "unit") != 0) {
                if (!build)
                        return convert_fail(c, e, "unsupported value for WorkingDirectory: %s", word);
                *ret_context = word;
                if (word[0] == '/' || unit_path_has_specifier(word) || is_url(word))
                        return 0;
        }
        if (*ret_directory) { /* the author's own stays, and a relative context is then that directory */
                *ret_context = NULL;
                return 0;
        }
        const char *path = beside == c->unit->path ? unit_escape_specifiers(c->arena, beside, /* dollar= */ false)
                                                   : convert_path(c, beside, /* exec= */ false);
        *ret_directory = path ? unit_path_parent(c->arena, path) : NULL;
        convert_add_service(c, "WorkingDirectory", *ret_directory);
        return *ret_directory ? 0 : -ENOMEM;
}

int convert_call_podman_args(Convert *c) {
        return convert_words(c, KEY_PodmanArgs, UNIT_SPLIT_ESCAPES, &c->argv);
}

static const UnitRow rows[] = {
        { KEY_Pull, KIND_JOINED, "--pull" },
        { KEY_Arch, KIND_STRING, "--arch" },
        { KEY_AuthFile, KIND_STRING, "--authfile" },
        { KEY_IgnoreFile, KIND_STRING, "--ignorefile" },
        { KEY_Retry, KIND_STRING, "--retry" },
        { KEY_RetryDelay, KIND_STRING, "--retry-delay" },
        { KEY_Target, KIND_STRING, "--target" },
        { KEY_Variant, KIND_STRING, "--variant" },
        { KEY_ForceRM, KIND_BOOL, "--force-rm" },
        { KEY_TLSVerify, KIND_BOOL, "--tls-verify" },
        { KEY_DNS, KIND_LINES, "--dns" },
        { KEY_DNSOption, KIND_LINES, "--dns-option" },
        { KEY_DNSSearch, KIND_LINES, "--dns-search" },
        { KEY_GroupAdd, KIND_LINES, "--group-add" },
        { KEY_ImageTag, KIND_LINES, "--tag" },
        { KEY_Annotation, KIND_PAIRS, "--annotation" },
        { KEY_BuildArg, KIND_PAIRS, "--build-arg" },
        { KEY_Environment, KIND_PAIRS, "--env" },
        { KEY_Label, KIND_PAIRS, "--label" },
        { KEY_Network, KIND_CALL, .call = convert_call_networks },
        { KEY_Secret, KIND_ARGS, "--secret" },
        { KEY_Volume, KIND_CALL, .call = convert_call_volumes },
        { KEY_File, KIND_STRING, "--file" },
        { KEY_PodmanArgs, KIND_CALL, .call = convert_call_podman_args },
        { KEY_ContainersConfModule, KIND_ELSEWHERE },
        { KEY_GlobalArgs, KIND_ELSEWHERE },
        { KEY_ServiceName, KIND_ELSEWHERE },
        { KEY_SetWorkingDirectory, KIND_ELSEWHERE },
};

/* The last word: the context, or the directory that stands for it. A Containerfile named by itself needs none. */
static int add_context(Convert *c) {
        const UnitEntry *e = unit_file_last(&c->unit->file, KEY_File);
        const char *file = convert_string(c, KEY_File), *context, *directory;
        int r = convert_working_directory(c, "file", file, &context, &directory);

        if (r < 0)
                return r;
        if (!directory && !file && !context)
                return convert_fail(c, e, "neither SetWorkingDirectory, nor File key specified");
        if (context)
                convert_add(c, context);
        else if (!file || (file[0] != '/' && !unit_path_has_specifier(file) && !is_url(file))) {
                if (!directory)
                        return convert_fail(c, e,
                                            "relative path in File key requires SetWorkingDirectory key to be set");
                /* WorkingDirectory= knows no variables, Exec lines do. */
                convert_add(c, unit_value_replace(c->arena, directory, "$", "$$"));
        }
        return 0;
}

static int convert_build(Convert *c) {
        if (!c->unit->resource)
                return convert_fail(c, unit_file_last(&c->unit->file, KEY_ImageTag), "no ImageTag key specified");
        convert_add(c, "build");
        int r = convert_add_rows(c);
        if (r >= 0)
                r = add_context(c);
        if (r < 0)
                return r;
        r = convert_add_exec(c, "ExecStart", "", c->argv.items, c->argv.n);
        convert_oneshot(c, /* remain_after_exit= */ false);
        return r;
}

const UnitTypeInfo unit_build_info = {
        .name = "build",
        .group = "Build",
        .infix = "-build",
        .order = 3,
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
        .convert = convert_build,
};
