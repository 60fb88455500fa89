/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod doctor: what holds this user back, and the commands that mend it. */
#include <stdio.h>

#include "base/str.h"
#include "cli/format.h"
#include "cli/verbs.h"
#include "engine/doctor.h"

typedef struct DoctorOptions {
        char *format;
        bool quiet;
} DoctorOptions;

static const Option rows[] = {
        { "format", .kind = OPTION_STRING, .offset = offsetof(DoctorOptions, format), .metavar = "TEMPLATE",
          .help = "Print by a Go template, or json" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = offsetof(DoctorOptions, quiet), .help = "Print only what is not in order" },
        {},
};
static const Option *const tables[] = { rows, NULL };

static const FormatField fields[] = { { "Check", NULL }, { "Status", NULL }, { "Finding", NULL }, { "Cost", NULL }, { "Fix", NULL }, {} };
static const FormatList list = { fields, NULL, "table {{.Status}}\t{{.Check}}\t{{.Finding}}", 4 };

static void print_text(const char *before, const char *text) {
        _cleanup_free_ char *clean = str_escape_control(text);

        printf("%s%s\n", before, clean ?: "");
}

static void print_finding(const json_t *finding) {
        const char *cost = json_get_string(finding, "Cost"), *fix = json_get_string(finding, "Fix");
        bool ok = str_equal(json_get_string(finding, "Status"), "ok");

        printf("%-8s %s: ", json_get_string(finding, "Status"), json_get_string(finding, "Check"));
        print_text("", json_get_string(finding, "Finding"));
        if (!str_empty(cost))
                print_text("         costs: ", cost);
        if (!str_empty(fix))
                print_text(ok ? "         to change that: " : "         fix: ", fix);
}

static void print_all(const json_t *findings) {
        const json_t *finding;
        unsigned warnings = 0, problems = 0;
        size_t i;

        json_array_foreach(findings, i, finding) {
                const char *status = json_get_string(finding, "Status");

                warnings += str_equal(status, "warning");
                problems += str_equal(status, "problem");
                print_finding(finding);
        }
        if (problems > 0 || warnings > 0)
                printf("%u problem%s, %u warning%s\n", problems, problems == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

static void leave_out_what_is_ok(json_t *findings) {
        for (size_t i = json_array_size(findings); i-- > 0;)
                if (str_equal(json_get_string(json_array_get(findings, i), "Status"), "ok"))
                        (void) json_array_remove(findings, i);
}

static int run(Invocation *in, Error *reterr) {
        const DoctorOptions *o = in->options;
        _cleanup_json_ json_t *findings = NULL;
        _cleanup_error_ Error store_error = ERROR_NULL;
        const Store *store = NULL;
        DoctorStatus worst;

        if (invocation_store(in, &store, &store_error) < 0)
                store = NULL; /* that is a finding, too */
        int r = engine_doctor(store, &store_error, in->global.storage_driver, &findings, &worst, reterr);
        if (r >= 0 && o->quiet)
                leave_out_what_is_ok(findings);
        if (r >= 0 && o->format)
                r = format_list(&list, o->format, /* no_heading= */ false, findings, stdout, reterr);
        else if (r >= 0)
                print_all(findings);
        return r < 0 ? r : worst == DOCTOR_PROBLEM;
}

const Verb verb_doctor = {
        .summary = "Tell what holds you back on this machine, and how to mend it",
        .description = "Tell what holds you back on this machine, what that costs, and the command that mends it. Exits with 1 where there is "
                       "a problem.",
        .options = tables,
        .options_size = sizeof(DoctorOptions),
        .run = run,
};
