/* SPDX-License-Identifier: Apache-2.0 */
/* JSON seccomp profiles, as Docker and Podman have them: read strictly, judged for this machine and these capabilities,
 * compiled by libseccomp. What is not understood is refused, with one exception that the format needs: names of system
 * calls that the library does not know (they are newer, or another machine's) get no rule. */
#include "proc/seccomp-profile.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "proc/caps.h"
#include "proc/seccomp-cache.h"
#include "proc/seccomp-table.h"

enum { PROFILE_LIMIT = 1024 * 1024, ARGS_MAX = 6 };

/* The functions of libseccomp.so.2, which only this file needs, and so only a container with a profile of its own loads. */
#define LIBRARY_FUNCTIONS(X)                                                                                               \
        X(seccomp_init) X(seccomp_release) X(seccomp_arch_native) X(seccomp_arch_exist) X(seccomp_arch_add)                \
        X(seccomp_attr_set) X(seccomp_syscall_resolve_name) X(seccomp_rule_add_array) X(seccomp_export_bpf) X(seccomp_version)

typedef struct Library {
        void *handle;
#define X(function) typeof(&function) function;
        LIBRARY_FUNCTIONS(X)
#undef X
} Library;

typedef struct Word {
        const char *name;
        uint32_t value;
} Word;

static const Word architectures[] = {
        { "SCMP_ARCH_X86", SCMP_ARCH_X86 },         { "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
        { "SCMP_ARCH_X32", SCMP_ARCH_X32 },         { "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
        { "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 }, { "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
        { "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },   { "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
        { "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },   { "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
        { "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 }, { "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
        { "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },     { "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
        { "SCMP_ARCH_S390", SCMP_ARCH_S390 },       { "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
        { "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },   { "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
        { "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 }, {},
};

static const Word operators[] = {
        { "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_EQ", SCMP_CMP_EQ },
        { "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ }, {},
};

static const Word flags[] = {
        { "SECCOMP_FILTER_FLAG_TSYNC", 0 }, /* the init has a single thread */
        { "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
        { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
        {},
};

/* How Go and so the profiles call this machine in "arches". */
#if defined(__x86_64__)
static const char machine[] = "amd64";
#elif defined(__aarch64__)
static const char machine[] = "arm64";
#elif defined(__i386__)
static const char machine[] = "386";
#elif defined(__arm__)
static const char machine[] = "arm";
#else
static const char machine[] = "";
#endif

/* What the reading of one profile carries along. */
typedef struct Reader {
        const char *path;
        uint64_t capabilities;
        const Library *library;
        scmp_filter_ctx context;
        uint32_t default_action;
        Error *reterr;
} Reader;

static int refuse(const Reader *reader, const char *what, const char *word) {
        return error_set(reader->reterr, -EINVAL, ERROR_INVALID, "cannot use seccomp profile '%s': %s%s%s%s", reader->path, what,
                         word ? " '" : "", word ?: "", word ? "'" : "");
}

static bool find_word(const Word *words, const char *name, uint32_t *ret) {
        for (; name && words->name; words++)
                if (strcmp(words->name, name) == 0) {
                        *ret = words->value;
                        return true;
                }
        return false;
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

static int read_action(const Reader *reader, const char *name, uint32_t number, uint32_t *ret) {
        static const Word actions[] = {
                { "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD }, { "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
                { "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS }, { "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
                { "SCMP_ACT_LOG", SCMP_ACT_LOG }, { "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW }, {},
        };

        if (str_equal(name, "SCMP_ACT_ERRNO"))
                *ret = SCMP_ACT_ERRNO(number);
        else if (str_equal(name, "SCMP_ACT_TRACE"))
                *ret = SCMP_ACT_TRACE(number);
        else if (str_equal(name, "SCMP_ACT_NOTIFY"))
                return refuse(reader, "no listener is there for action", name);
        else if (!find_word(actions, name, ret))
                return refuse(reader, name ? "there is no action" : "an action is missing", name);
        return 0;
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

static int read_argument(const Reader *reader, const json_t *object, struct scmp_arg_cmp *ret) {
        static const char *const known[] = { "index", "value", "valueTwo", "op", NULL };
        const json_t *index = json_object_get(object, "index"), *value = json_object_get(object, "value"),
                     *second = json_object_get(object, "valueTwo");
        const char *op = json_string_value(json_object_get(object, "op"));
        uint32_t number;
        int r;

        r = check_keys(reader, object, known);
        if (r < 0)
                return r;
        if (!find_word(operators, op, &number))
                return refuse(reader, op ? "there is no comparison" : "a comparison is missing", op);
        if (!json_is_integer(index) || json_integer_value(index) < 0 || json_integer_value(index) >= ARGS_MAX ||
            !json_is_integer(value) || (second && !json_is_integer(second)))
                return refuse(reader, "an argument is not a number, or there is no such argument", NULL);
        *ret = (struct scmp_arg_cmp){ .arg = (unsigned) json_integer_value(index), .op = (enum scmp_compare) number,
                                      .datum_a = (scmp_datum_t) json_integer_value(value),
                                      .datum_b = (scmp_datum_t) json_integer_value(second) };
        return 0;
}

/* Comparisons of different arguments must all hold; several of one argument are alternatives, as in every runtime. */
static int add_rule(const Reader *reader, const char *name, uint32_t action, const struct scmp_arg_cmp *arguments, unsigned n) {
        int nr = reader->library->seccomp_syscall_resolve_name(name), r = 0;
        unsigned seen = 0;
        bool alternatives = false;

        if (nr == __NR_SCMP_ERROR)
                return 0;
        for (unsigned i = 0; i < n; i++) {
                alternatives |= seen & (1U << arguments[i].arg);
                seen |= 1U << arguments[i].arg;
        }
        if (!alternatives)
                r = reader->library->seccomp_rule_add_array(reader->context, action, nr, n, arguments);
        for (unsigned i = 0; alternatives && r >= 0 && i < n; i++)
                r = reader->library->seccomp_rule_add_array(reader->context, action, nr, 1, &arguments[i]);
        if (r < 0 && r != -EEXIST)
                return error_set_errno(reader->reterr, r, "cannot use seccomp profile '%s': the rule for system call '%s' is refused",
                                       reader->path, name);
        return 0;
}

static int read_rule(const Reader *reader, const json_t *rule) {
        static const char *const known[] = { "names", "name", "action", "args", "comment", "includes", "excludes", "errnoRet", "errno", NULL };
        const json_t *names = json_object_get(rule, "names"), *args = json_object_get(rule, "args"), *item;
        const char *name = json_string_value(json_object_get(rule, "name"));
        struct scmp_arg_cmp arguments[ARGS_MAX];
        uint32_t number, action;
        bool holds = true;
        size_t i;
        int r;

        r = check_keys(reader, rule, known);
        if (r >= 0)
                r = read_errno(reader, rule, "errnoRet", "errno", &number);
        if (r >= 0)
                r = read_action(reader, json_string_value(json_object_get(rule, "action")), number, &action);
        if (r >= 0)
                r = judge_filter(reader, json_object_get(rule, "includes"), true, &holds);
        if (r >= 0)
                r = judge_filter(reader, json_object_get(rule, "excludes"), false, &holds);
        if (r < 0)
                return r;
        if ((names && !is_array_of_strings(names)) || (json_array_size(names) > 0) == (name != NULL))
                return refuse(reader, "a rule has one of names and name", NULL);
        if ((args && !json_is_null(args) && !json_is_array(args)) || json_array_size(args) > ARGS_MAX)
                return refuse(reader, "args is a list of at most six comparisons", NULL);
        json_array_foreach((json_t *) args, i, item) {
                r = read_argument(reader, item, &arguments[i]);
                if (r < 0)
                        return r;
        }
        if (!holds || action == reader->default_action)
                return 0;
        if (name)
                return add_rule(reader, name, action, arguments, (unsigned) json_array_size(args));
        json_array_foreach((json_t *) names, i, item) {
                r = add_rule(reader, json_string_value(item), action, arguments, (unsigned) json_array_size(args));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_architecture(const Reader *reader, const char *name) {
        uint32_t arch;
        int r;

        if (!find_word(architectures, name, &arch))
                return refuse(reader, name ? "there is no architecture" : "an architecture is missing", name);
        if (reader->library->seccomp_arch_exist(reader->context, arch) == 0)
                return 0;
        r = reader->library->seccomp_arch_add(reader->context, arch);
        return r < 0 ? error_set_errno(reader->reterr, r, "cannot use seccomp profile '%s': architecture '%s' cannot be added",
                                       reader->path, name) : 0;
}

static int add_architectures(const Reader *reader, const json_t *array) {
        json_t *item;
        size_t i;

        if (array && !is_array_of_strings(array))
                return refuse(reader, "architectures are a list of words", NULL);
        json_array_foreach((json_t *) array, i, item) {
                int r = add_architecture(reader, json_string_value(item));

                if (r < 0)
                        return r;
        }
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
                uint32_t arch;

                r = check_keys(reader, item, known);
                if (r < 0)
                        return r;
                if (!find_word(architectures, name, &arch))
                        return refuse(reader, name ? "there is no architecture" : "an architecture is missing", name);
                if (arch != reader->library->seccomp_arch_native())
                        continue;
                r = add_architectures(reader, json_object_get(item, "subArchitectures"));
                if (r < 0)
                        return r;
        }
        return add_architectures(reader, list);
}

static int read_flags(const Reader *reader, const json_t *array, unsigned *ret) {
        unsigned all = 0;
        json_t *item;
        size_t i;

        if (array && !is_array_of_strings(array))
                return refuse(reader, "flags are a list of words", NULL);
        json_array_foreach((json_t *) array, i, item) {
                uint32_t flag;

                if (!find_word(flags, json_string_value(item), &flag))
                        return refuse(reader, "there is no flag", json_string_value(item));
                all |= flag;
        }
        *ret = all;
        return 0;
}

static int read_profile(Reader *reader, const json_t *profile, unsigned *ret_flags) {
        static const char *const known[] = { "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap", "syscalls",
                                             "flags", "comment", NULL };
        const json_t *rules = json_object_get(profile, "syscalls");
        uint32_t number;
        json_t *rule;
        size_t i;
        int r;

        r = check_keys(reader, profile, known);
        if (r >= 0)
                r = read_errno(reader, profile, "defaultErrnoRet", "defaultErrno", &number);
        if (r >= 0)
                r = read_action(reader, json_string_value(json_object_get(profile, "defaultAction")), number, &reader->default_action);
        if (r >= 0)
                r = read_flags(reader, json_object_get(profile, "flags"), ret_flags);
        if (r < 0)
                return r;
        if (rules && !json_is_null(rules) && !json_is_array(rules))
                return refuse(reader, "syscalls is a list", NULL);
        reader->context = reader->library->seccomp_init(reader->default_action);
        if (!reader->context)
                return error_oom(reader->reterr);
        (void) reader->library->seccomp_attr_set(reader->context, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* 2.5 and later */
        r = read_architectures(reader, profile);
        if (r < 0)
                return r;
        json_array_foreach((json_t *) rules, i, rule) {
                r = read_rule(reader, rule);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_library(Library *ret, Error *reterr) {
        Library library = { .handle = dlopen("libseccomp.so.2", RTLD_NOW | RTLD_LOCAL) };

        if (!library.handle)
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot use a seccomp profile: libseccomp is not there: %s",
                                 dlerror());
#define X(function)                                                                                                        \
        library.function = (typeof(library.function)) dlsym(library.handle, #function);                                     \
        if (!library.function) {                                                                                            \
                (void) dlclose(library.handle);                                                                             \
                return error_set(reterr, -ENOENT, ERROR_UNSUPPORTED, "cannot use a seccomp profile: libseccomp has no %s()", #function); \
        }
        LIBRARY_FUNCTIONS(X)
#undef X
        *ret = library;
        return 0;
}

static int export_filter(const Reader *reader, unsigned filter_flags, SeccompFilter *ret) {
        _cleanup_fd_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
        char *text;
        size_t size;
        int r;

        if (fd < 0)
                return error_set_errno(reader->reterr, -errno, "cannot make a file in memory");
        r = reader->library->seccomp_export_bpf(reader->context, fd);
        if (r >= 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r >= 0)
                r = io_read_all(fd, SECCOMP_CODE_MAX * sizeof(struct sock_filter), &text, &size);
        if (r < 0)
                return error_set_errno(reader->reterr, r, "cannot compile seccomp profile '%s'", reader->path);
        *ret = (SeccompFilter){ .owned = (struct sock_filter *) (void *) text, .code = (struct sock_filter *) (void *) text,
                                .n_code = size / sizeof(struct sock_filter), .flags = filter_flags };
        return 0;
}

static int compile(const char *path, const json_t *profile, uint64_t capabilities, SeccompFilter *ret, Error *reterr) {
        Library library;
        Reader reader = { .path = path, .capabilities = capabilities, .library = &library, .reterr = reterr };
        unsigned filter_flags = 0;
        int r;

        r = load_library(&library, reterr);
        if (r < 0)
                return r;
        r = read_profile(&reader, profile, &filter_flags);
        if (r >= 0)
                r = export_filter(&reader, filter_flags, ret);
        if (reader.context)
                library.seccomp_release(reader.context);
        (void) dlclose(library.handle);
        return r;
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
        head = str_format("profile 1 %s %s %llx\n", machine, name.release, (unsigned long long) capabilities);
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
