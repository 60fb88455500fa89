/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of `top`. */
#include "cli/top-column.h"

#include <inttypes.h>
#include <pwd.h>
#include <grp.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/time-text.h"

struct TopColumn {
        const char *name, *code, *heading;
        char *(*text)(const TopRow *row); /* owned; NULL: out of memory */
};

static double ticks_to_seconds(uint64_t ticks) {
        return (double) ticks / (double) sysconf(_SC_CLK_TCK);
}

/* Three digits of a unit below a second, else hours, minutes and seconds; zeros at the end go. */
char *top_duration(double seconds) {
        static const struct {
                double unit;
                const char *name;
                int digits;
        } small[] = { { 1e-3, "ms", 6 }, { 1e-6, "\u00b5s", 3 }, { 1e-9, "ns", 0 } };
        char number[48];
        const char *unit = "s";
        uint64_t whole = (uint64_t) MAX(seconds, 0.0);

        if (seconds <= 0)
                return strdup("0s");
        if (whole > 0)
                (void) snprintf(number, sizeof(number), "%.9f", (double) (whole % 60) + (seconds - (double) whole));
        else
                for (size_t i = 0; i < ELEMENTSOF(small); i++)
                        if (seconds >= small[i].unit || i == ELEMENTSOF(small) - 1) {
                                (void) snprintf(number, sizeof(number), "%.*f", small[i].digits, seconds / small[i].unit);
                                unit = small[i].name;
                                break;
                        }
        if (strchr(number, '.')) {
                size_t n = strlen(number);

                while (number[n - 1] == '0')
                        n--;
                number[number[n - 1] == '.' ? n - 1 : n] = 0;
        }
        if (whole >= 3600)
                return str_format("%" PRIu64 "h%" PRIu64 "m%ss", whole / 3600, whole / 60 % 60, number);
        if (whole >= 60)
                return str_format("%" PRIu64 "m%ss", whole / 60, number);
        return str_format("%s%s", number, unit);
}

static char *id_text(const char *database, uint32_t id) {
        char *name = process_name_of_id(database, id);

        if (name)
                return name;
        return id == UINT32_MAX ? strdup("?") : str_format("%" PRIu32, id);
}

static char *text_user(const TopRow *row) {
        return id_text(row->list->passwd, row->process->uid.effective);
}

static char *text_ruser(const TopRow *row) {
        return id_text(row->list->passwd, row->process->uid.real);
}

static char *text_group(const TopRow *row) {
        return id_text(row->list->group, row->process->gid.effective);
}

static char *text_rgroup(const TopRow *row) {
        return id_text(row->list->group, row->process->gid.real);
}

static char *text_huser(const TopRow *row) {
        const struct passwd *pw = getpwuid(row->process->uid.host_effective);

        return pw ? strdup(pw->pw_name) : str_format("%" PRIu32, row->process->uid.host_effective);
}

static char *text_hgroup(const TopRow *row) {
        const struct group *gr = getgrgid(row->process->gid.host_effective);

        return gr ? strdup(gr->gr_name) : str_format("%" PRIu32, row->process->gid.host_effective);
}

/* All supplementary groups with commas between. */
static char *join_groups(const TopRow *row, char *(*text)(const TopRow *row, const ProcessIds *group)) {
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < row->process->n_groups; i++)
                if (strv_consume(&names, text(row, &row->process->groups[i])) < 0)
                        return NULL;
        return strv_join(names, ",");
}

static char *group_inside(const TopRow *row, const ProcessIds *group) {
        return id_text(row->list->group, group->effective);
}

static char *group_outside(_unused_ const TopRow *row, const ProcessIds *group) {
        const struct group *gr = getgrgid(group->host_effective);

        return gr ? strdup(gr->gr_name) : str_format("%" PRIu32, group->host_effective);
}

static char *text_groups(const TopRow *row) {
        return join_groups(row, group_inside);
}

static char *text_hgroups(const TopRow *row) {
        return join_groups(row, group_outside);
}

#define DEFINE_NUMBER(name, format, value)              \
        static char *text_##name(const TopRow *row) {   \
                return str_format(format, value);       \
        }
DEFINE_NUMBER(pid, "%d", row->process->pid)
DEFINE_NUMBER(ppid, "%d", row->process->ppid)
DEFINE_NUMBER(pgid, "%d", row->process->pgid)
DEFINE_NUMBER(hpid, "%d", row->process->host_pid)
DEFINE_NUMBER(nice, "%d", row->process->nice)
DEFINE_NUMBER(vsz, "%" PRIu64, row->process->vsize / 1024)
DEFINE_NUMBER(rss, "%" PRIu64, row->process->rss / 1024)
DEFINE_NUMBER(state, "%c", row->process->state)

static double age(const TopRow *row) {
        return row->uptime - ticks_to_seconds(row->process->start_ticks);
}

static char *text_pcpu(const TopRow *row) {
        double seconds = age(row);

        return str_format("%.3f", seconds > 0 ? 100 * ticks_to_seconds(row->process->cpu_ticks) / seconds : 0.0);
}

static char *text_etime(const TopRow *row) {
        return top_duration(age(row));
}

static char *text_time(const TopRow *row) {
        return top_duration((double) (uint64_t) ticks_to_seconds(row->process->cpu_ticks));
}

static char *text_stime(const TopRow *row) {
        _cleanup_free_ char *text = time_format_rfc3339(time_now_usec() - (int64_t) (age(row) * 1e6));
        char *go = NULL;

        return text && time_text_go(text, &go) >= 0 ? go : NULL;
}

/* The device numbers of proc(5): terminals of devpts, consoles. */
static char *text_tty(const TopRow *row) {
        unsigned device = (unsigned) row->process->tty, minor_number = minor(device);

        if (device == 0)
                return strdup("?");
        if (major(device) >= 136 && major(device) < 144)
                return str_format("pts/%u", minor_number + (major(device) - 136) * 256);
        return major(device) == 4 ? str_format(minor_number < 64 ? "tty%u" : "ttyS%u", minor_number % 64)
                                  : str_format("%u:%u", major(device), minor_number);
}

static char *text_args(const TopRow *row) {
        return str_escape_control(row->process->args);
}

static char *text_comm(const TopRow *row) {
        return str_escape_control(row->process->comm);
}

static char *text_label(const TopRow *row) {
        return str_empty(row->process->label) ? strdup("?") : str_escape_control(row->process->label);
}

static char *text_seccomp(const TopRow *row) {
        static const char *const modes[] = { "disabled", "strict", "filter" };

        return strdup((unsigned) row->process->seccomp < ELEMENTSOF(modes) ? modes[row->process->seccomp] : "unknown");
}

#define DEFINE_CAPABILITIES(name, member)                       \
        static char *text_##name(const TopRow *row) {           \
                return process_capabilities_text(row->process->member);      \
        }
DEFINE_CAPABILITIES(capamb, cap_ambient)
DEFINE_CAPABILITIES(capbnd, cap_bounding)
DEFINE_CAPABILITIES(capeff, cap_effective)
DEFINE_CAPABILITIES(capinh, cap_inherited)
DEFINE_CAPABILITIES(capprm, cap_permitted)

/* Sorted by name. */
static const TopColumn columns[] = {
        { "args", "%a", "COMMAND", text_args },
        { "capamb", NULL, "AMBIENT CAPS", text_capamb },
        { "capbnd", NULL, "BOUNDING CAPS", text_capbnd },
        { "capeff", NULL, "EFFECTIVE CAPS", text_capeff },
        { "capinh", NULL, "INHERITED CAPS", text_capinh },
        { "capprm", NULL, "PERMITTED CAPS", text_capprm },
        { "comm", "%c", "COMMAND", text_comm },
        { "etime", "%t", "ELAPSED", text_etime },
        { "group", "%G", "GROUP", text_group },
        { "groups", NULL, "GROUPS", text_groups },
        { "hgroup", NULL, "HGROUP", text_hgroup },
        { "hgroups", NULL, "HGROUPS", text_hgroups },
        { "hpid", NULL, "HPID", text_hpid },
        { "huser", NULL, "HUSER", text_huser },
        { "label", NULL, "LABEL", text_label },
        { "nice", "%n", "NI", text_nice },
        { "pcpu", "%C", "%CPU", text_pcpu },
        { "pgid", "%r", "PGID", text_pgid },
        { "pid", "%p", "PID", text_pid },
        { "ppid", "%P", "PPID", text_ppid },
        { "rgroup", "%g", "RGROUP", text_rgroup },
        { "rss", NULL, "RSS", text_rss },
        { "ruser", "%u", "RUSER", text_ruser },
        { "seccomp", NULL, "SECCOMP", text_seccomp },
        { "state", NULL, "STATE", text_state },
        { "stime", NULL, "STIME", text_stime },
        { "time", "%x", "TIME", text_time },
        { "tty", "%y", "TTY", text_tty },
        { "user", "%U", "USER", text_user },
        { "vsz", "%z", "VSZ", text_vsz },
};

const TopColumn *top_column_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(columns); i++)
                if (strcmp(columns[i].name, name) == 0 || str_equal(columns[i].code, name))
                        return &columns[i];
        return NULL;
}

const char *top_column_heading(const TopColumn *column) {
        return column->heading;
}

void top_column_print(const TopColumn *column, const TopRow *row, FILE *out) {
        _cleanup_free_ char *text = column->text(row);

        fputs(text ?: "?", out);
}

char *top_column_names(void) {
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(columns); i++)
                if (strv_append(&names, columns[i].name) < 0)
                        return NULL;
        return strv_join(names, ", ");
}
