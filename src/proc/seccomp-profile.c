/* SPDX-License-Identifier: Apache-2.0 */
/* JSON seccomp profiles, as Docker and Podman have them: read strictly, judged for this machine and these capabilities, and so
 * made into what the runtime-spec has (proc/seccomp-rules.h), which is compiled. */
#include "proc/seccomp-profile.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "proc/caps.h"
#include "proc/seccomp-cache.h"
#include "proc/seccomp-rules.h"

enum { PROFILE_LIMIT = 1024 * 1024 };

/* How Go and so the profiles call this machine in "arches", and libseccomp in "archMap". */
#if defined(__x86_64__)
static const char machine[] = "amd64", native[] = "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
static const char machine[] = "arm64", native[] = "SCMP_ARCH_AARCH64";
#elif defined(__i386__)
static const char machine[] = "386", native[] = "SCMP_ARCH_X86";
#elif defined(__arm__)
static const char machine[] = "arm", native[] = "SCMP_ARCH_ARM";
#else
static const char machine[] = "", native[] = "";
#endif

/* What the reading of one profile carries along. */
typedef struct Reader {
        const char *path;
        uint64_t capabilities;
        RuntimeSeccomp *rules; /* what becomes of it */
        Error *reterr;
} Reader;

static int refuse(const Reader *reader, const char *what, const char *word) {
        return error_set(reader->reterr, -EINVAL, ERROR_INVALID, "cannot use seccomp profile '%s': %s%s%s%s", reader->path, what,
                         word ? " '" : "", word ?: "", word ? "'" : "");
}

/* Refuses keys of an object that are not in the list: a rule that a misspelt key takes away could open something. */
static int check_keys(const Reader *reader, const json_t *object, const char *const *known) {
        const char *key;
        json_t *value;

        if (!json_is_object(object))
                return refuse(reader, "something is not an object where one is needed", NULL);
        json_object_foreach((json_t *) object, key, value) {
                bool found = false;

                for (const char *const *k = known; *k; k++)
                        found |= strcmp(*k, key) == 0;
                if (!found)
                        return refuse(reader, "there is no key", key);
        }
        return 0;
}

static bool is_array_of_strings(const json_t *array) {
        size_t i;
        json_t *item;

        if (json_is_null(array))
                return true;
        if (!json_is_array(array))
                return false;
        json_array_foreach((json_t *) array, i, item)
                if (!json_is_string(item))
                        return false;
        return true;
}

static bool array_has(const json_t *array, const char *word) {
        size_t i;
        json_t *item;

        json_array_foreach((json_t *) array, i, item)
                if (strcmp(json_string_value(item), word) == 0)
                        return true;
        return false;
}

/* The errno of a rule: a number, or a name beside it that wins. */
static int read_errno(const Reader *reader, const json_t *object, const char *number_key, const char *name_key, uint32_t *ret) {
        const json_t *number = json_object_get(object, number_key), *name = json_object_get(object, name_key);

        *ret = EPERM;
        if (number && !json_is_null(number)) {
                if (!json_is_integer(number) || json_integer_value(number) < 0 || json_integer_value(number) > SECCOMP_RET_DATA)
                        return refuse(reader, "not an errno:", number_key);
                *ret = (uint32_t) json_integer_value(number);
        }
        if (str_empty(json_string_value(name)))
                return 0;
        for (int e = 1; e < 134; e++)
                if (str_equal(strerrorname_np(e), json_string_value(name))) {
                        *ret = (uint32_t) e;
                        return 0;
                }
        return refuse(reader, "there is no errno", json_string_value(name));
}

/* The action of a rule, or the one of all others; its errno is one only where the action has one. */
static int read_action(const Reader *reader, const json_t *object, const char *const keys[static 3], char **ret, bool *ret_given, uint32_t *ret_errno) {
        const char *name = json_string_value(json_object_get(object, keys[0]));
        int r = read_errno(reader, object, keys[1], keys[2], ret_errno);

        if (r < 0)
                return r;
        if (str_equal(name, "SCMP_ACT_NOTIFY"))
                return refuse(reader, "no listener is there for action", name);
        *ret_given = str_equal(name, "SCMP_ACT_ERRNO") || str_equal(name, "SCMP_ACT_TRACE");
        return str_replace(ret, name) < 0 ? error_oom(reader->reterr) : 0;
}

/* Whether this kernel is at least "4.8". */
static int kernel_is(const Reader *reader, const char *version, bool *ret) {
        unsigned major, minor, wanted_major, wanted_minor;
        struct utsname name;
        int end = -1;

        if (sscanf(version, "%u.%u%n", &wanted_major, &wanted_minor, &end) != 2 || version[end])
                return refuse(reader, "not a kernel version:", version);
        if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
                return refuse(reader, "the version of this kernel is not known", NULL);
        *ret = major > wanted_major || (major == wanted_major && minor >= wanted_minor);
        return 0;
}

/* Reads "includes" (all of its capabilities, the machine, the kernel must be there) or "excludes" (none of them may):
 * *ret becomes false where the rule does not count. */
static int judge_filter(const Reader *reader, const json_t *filter, bool include, bool *ret) {
        static const char *const known[] = { "caps", "arches", "minKernel", NULL };
        const json_t *caps = json_object_get(filter, "caps"), *arches = json_object_get(filter, "arches"), *item;
        const char *version = json_string_value(json_object_get(filter, "minKernel"));
        bool newer;
        size_t i;
        int r;

        if (!filter || json_is_null(filter))
                return 0;
        r = check_keys(reader, filter, known);
        if (r < 0)
                return r;
        if ((caps && !is_array_of_strings(caps)) || (arches && !is_array_of_strings(arches)))
                return refuse(reader, "caps and arches are lists of words", NULL);
        json_array_foreach((json_t *) caps, i, item) {
                int cap = caps_from_name(json_string_value(item));

                if (cap < 0)
                        return refuse(reader, "there is no capability", json_string_value(item));
                if (((reader->capabilities & CAPS_BIT(cap)) != 0) != include)
                        *ret = false;
        }
        if (json_array_size(arches) > 0 && array_has(arches, machine) != include)
                *ret = false;
        if (str_empty(version))
                return 0;
        r = kernel_is(reader, version, &newer);
        if (r >= 0 && newer != include)
                *ret = false;
        return r;
}

static int read_argument(const Reader *reader, const json_t *object, RuntimeSeccompRule *rule) {
        static const char *const known[] = { "index", "value", "valueTwo", "op", NULL };
        const json_t *index = json_object_get(object, "index"), *value = json_object_get(object, "value"),
                     *second = json_object_get(object, "valueTwo");
        int r = check_keys(reader, object, known);

        if (r < 0)
                return r;
        if (!json_is_integer(index) || json_integer_value(index) < 0 || json_integer_value(index) > UINT32_MAX ||
            !json_is_integer(value) || (second && !json_is_integer(second)))
                return refuse(reader, "an argument is not a number, or there is no such argument", NULL);
        RuntimeSeccompArg *arg = container_array_add((void **) &rule->args, &rule->n_args, sizeof(*arg));
        if (!arg)
                return error_oom(reader->reterr);
        *arg = (RuntimeSeccompArg){ .index = (uint32_t) json_integer_value(index), .value = (uint64_t) json_integer_value(value),
                                    .value_two = (uint64_t) json_integer_value(second) };
        return str_replace(&arg->op, json_string_value(json_object_get(object, "op"))) < 0 ? error_oom(reader->reterr) : 0;
}

static int add_rule(const Reader *reader, const json_t *object, const json_t *names, const char *name, const json_t *args) {
        static const char *const keys[] = { "action", "errnoRet", "errno" };
        RuntimeSeccompRule *rule = container_array_add((void **) &reader->rules->syscalls, &reader->rules->n_syscalls, sizeof(*rule));
        const json_t *item;
        size_t i;

        if (!rule || (name ? strv_append(&rule->names, name) : json_to_strv(names, &rule->names)) < 0)
                return error_oom(reader->reterr);
        int r = read_action(reader, object, keys, &rule->action, &rule->has_errno_ret, &rule->errno_ret);
        json_array_foreach((json_t *) args, i, item) {
                if (r < 0)
                        return r;
                r = read_argument(reader, item, rule);
        }
        return r;
}

static int read_rule(const Reader *reader, const json_t *rule) {
        static const char *const known[] = { "names", "name", "action", "args", "comment", "includes", "excludes", "errnoRet", "errno", NULL };
        const json_t *names = json_object_get(rule, "names"), *args = json_object_get(rule, "args");
        const char *name = json_string_value(json_object_get(rule, "name"));
        bool holds = true;
        int r = check_keys(reader, rule, known);

        if (r >= 0)
                r = judge_filter(reader, json_object_get(rule, "includes"), true, &holds);
        if (r >= 0)
                r = judge_filter(reader, json_object_get(rule, "excludes"), false, &holds);
        if (r < 0)
                return r;
        if ((names && !is_array_of_strings(names)) || (json_array_size(names) > 0) == (name != NULL))
                return refuse(reader, "a rule has one of names and name", NULL);
        if (args && !json_is_null(args) && !json_is_array(args))
                return refuse(reader, "args is a list of at most six comparisons", NULL);
        r = add_rule(reader, rule, names, name, args);
        if (r < 0)
                return r;
        RuntimeSeccompRule *last = &reader->rules->syscalls[reader->rules->n_syscalls - 1];
        if (!holds) { /* it is judged like the others, and then names nothing that exists */
                strv_free(last->names);
                last->names = NULL;
                if (strv_append(&last->names, "") < 0)
                        return error_oom(reader->reterr);
        }
        return 0;
}

static int add_architectures(const Reader *reader, const json_t *array) {
        json_t *item;
        size_t i;

        if (array && !is_array_of_strings(array))
                return refuse(reader, "architectures are a list of words", NULL);
        json_array_foreach((json_t *) array, i, item)
                if (strv_append(&reader->rules->architectures, json_string_value(item)) < 0)
                        return error_oom(reader->reterr);
        return 0;
}

static int read_architectures(const Reader *reader, const json_t *profile) {
        static const char *const known[] = { "architecture", "subArchitectures", NULL };
        const json_t *list = json_object_get(profile, "architectures"), *map = json_object_get(profile, "archMap");
        json_t *item;
        size_t i;
        int r;

        if (map && !json_is_null(map) && !json_is_array(map))
                return refuse(reader, "archMap is a list", NULL);
        if (json_array_size(list) > 0 && json_array_size(map) > 0)
                return refuse(reader, "it has both architectures and archMap", NULL);
        json_array_foreach((json_t *) map, i, item) {
                const char *name = json_string_value(json_object_get(item, "architecture"));
                bool known_word = false;

                r = check_keys(reader, item, known);
                if (r < 0)
                        return r;
                for (size_t j = 0; seccomp_word(SECCOMP_ARCHITECTURES, j); j++)
                        known_word |= str_equal(name, seccomp_word(SECCOMP_ARCHITECTURES, j));
                if (!known_word)
                        return refuse(reader, name ? "there is no architecture" : "an architecture is missing", name);
                if (!str_equal(name, native))
                        continue;
                r = add_architectures(reader, json_object_get(item, "subArchitectures"));
                if (r < 0)
                        return r;
        }
        return add_architectures(reader, list);
}

static int read_profile(const Reader *reader, const json_t *profile) {
        static const char *const known[] = { "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap", "syscalls",
                                             "flags", "comment", NULL };
        static const char *const keys[] = { "defaultAction", "defaultErrnoRet", "defaultErrno" };
        const json_t *rules = json_object_get(profile, "syscalls"), *words = json_object_get(profile, "flags");
        RuntimeSeccomp *to = reader->rules;
        json_t *rule;
        size_t i;
        int r = check_keys(reader, profile, known);

        if (r >= 0)
                r = read_action(reader, profile, keys, &to->default_action, &to->has_default_errno_ret, &to->default_errno_ret);
        if (r < 0)
                return r;
        if (words && !is_array_of_strings(words))
                return refuse(reader, "flags are a list of words", NULL);
        if (rules && !json_is_null(rules) && !json_is_array(rules))
                return refuse(reader, "syscalls is a list", NULL);
        if (json_to_strv(words, &to->flags) < 0)
                return error_oom(reader->reterr);
        r = read_architectures(reader, profile);
        json_array_foreach((json_t *) rules, i, rule) {
                if (r < 0)
                        return r;
                r = read_rule(reader, rule);
        }
        return r;
}

static int compile(const char *path, const json_t *profile, uint64_t capabilities, SeccompFilter *ret, Error *reterr) {
        _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;
        const Reader reader = { .path = path, .capabilities = capabilities, .rules = &spec.seccomp, .reterr = reterr };
        _cleanup_free_ char *subject = str_format("seccomp profile '%s'", path);

        if (!subject)
                return error_oom(reterr);
        int r = read_profile(&reader, profile);
        return r < 0 ? r : seccomp_rules_compile(&spec.seccomp, subject, ret, reterr);
}

static int read_text(const char *path, char **ret_text, size_t *ret_size, Error *reterr) {
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read seccomp profile '%s'", path);
        if (!S_ISREG(st.st_mode))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot read seccomp profile '%s': not a regular file", path);
        r = io_read_all(fd, PROFILE_LIMIT, ret_text, ret_size);
        return r < 0 ? error_set_errno(reterr, r, "cannot read seccomp profile '%s'", path) : 0;
}

/* All that the result depends on, as bytes: this format, the machine, the kernel (minKernel), the capabilities, the text. */
static char *make_key(const char *text, size_t size, uint64_t capabilities, size_t *ret_size) {
        _cleanup_free_ char *head = NULL;
        struct utsname name;
        size_t n;
        char *key;

        if (uname(&name) < 0)
                return NULL;
        head = str_format("profile 2 %s %s %llx\n", machine, name.release, (unsigned long long) capabilities);
        if (!head)
                return NULL;
        n = strlen(head);
        key = malloc(n + size);
        if (!key)
                return NULL;
        memcpy(key, head, n);
        memcpy(key + n, text, size);
        *ret_size = n + size;
        return key;
}

int seccomp_profile_prepare(const char *path, uint64_t capabilities, int data_fd, SeccompFilter *ret, Error *reterr) {
        _cleanup_free_ char *text = NULL, *key = NULL;
        _cleanup_json_ json_t *profile = NULL;
        size_t size, n_key;
        int r;

        r = read_text(path, &text, &size, reterr);
        if (r < 0)
                return r;
        key = make_key(text, size, capabilities, &n_key);
        if (!key)
                return error_oom(reterr);
        if (data_fd >= 0 && seccomp_cache_read(data_fd, key, n_key, ret) >= 0)
                return 0;
        r = json_parse(text, size, path, &profile, reterr);
        if (r < 0)
                return r;
        r = compile(path, profile, capabilities, ret, reterr);
        if (r >= 0 && data_fd >= 0)
                (void) seccomp_cache_write(data_fd, key, n_key, ret); /* the next container compiles again then */
        return r;
}
