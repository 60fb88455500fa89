/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: every expectation here is what Go's text/template prints, as `podman inspect --format` shows it. */
#include "base/json.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/template.h"

static const char data_text[] =
        "{\"Id\":\"abc\",\"Name\":\"web\",\"Pid\":241,\"Load\":1.5,\"Running\":true,\"Dead\":false,\"Empty\":\"\",\"None\":null,"
        "\"Created\":\"2026-11-22T11:40:45.5906Z\",\"Env\":[\"A=b\",\"C=d e\"],\"No\":[],"
        "\"State\":{\"Status\":\"running\",\"ExitCode\":0},\"Labels\":{\"b\":\"2\",\"a\":\"1\"},\"Gone\":null,"
        "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/x\",\"RW\":false},{\"Type\":\"volume\",\"Source\":\"/y\",\"RW\":true}],"
        "\"Ports\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}}";

static const char *const maps[] = { "Labels", "Ports", "Gone", "Volumes", NULL }, *const times[] = { "Created", NULL },
                         *const aliases[] = { "ID", "Id", "CreatedBy", "created_by", NULL }, *const lookups[] = { "Label", "Labels", NULL };
static const char *const absent[] = { "Volumes", "null", "Entrypoint", "null", "User", "\"\"", "created_by", "\"\"", NULL };
static const TemplateTypes types = { .maps = maps, .times = times, .aliases = aliases, .lookups = lookups, .absent = absent };

/* The text, or "error: ..." with the part of the message behind the template; owned by a static. */
static const char *render_escaped(const char *text, const char *data, TemplateEscape escape) {
        static char *out;
        _cleanup_template_ Template *template = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_json_ json_t *json = NULL;
        size_t size;
        FILE *memory;

        free(out);
        out = NULL;
        memory = open_memstream(&out, &size);
        CHECK(memory);
        CHECK_INT(json_parse(data, strlen(data), "data", &json, NULL), 0);
        int r = template_parse(text, 0, &template, &error);
        if (r >= 0)
                r = template_execute(template, json, &types, escape, memory, &error);
        if (r < 0) {
                const char *reason = strstr(error.message, text);

                fprintf(memory, "error:%s", reason ? reason + strlen(text) + 2 : error.message);
        }
        fclose(memory);
        return out;
}

static const char *render(const char *text) {
        return render_escaped(text, data_text, TEMPLATE_ESCAPE_NONE);
}

typedef struct Case {
        const char *text, *wanted;
} Case;

static void check_all(const Case *cases, size_t n) {
        for (size_t i = 0; i < n; i++)
                CHECK_STR(render(cases[i].text), cases[i].wanted);
}

TEST(fields_and_values_print_as_in_go) {
        static const Case cases[] = {
                { "", "" },
                { "plain", "plain" },
                { "{{.Id}}", "abc" },
                { "{{ .ID }}|{{.State.Status}}", "abc|running" },
                { "{{.Pid}} {{.Load}} {{.Running}} {{.Dead}}", "241 1.5 true false" },
                { "{{.Env}} {{.No}} {{.None}} {{.Gone}}", "[A=b C=d e] [] [] map[]" },
                { "{{.Labels}} {{.Labels.a}} {{.Labels.zz}}", "map[a:1 b:2] 1 <no value>" },
                { "{{.Gone.any}} {{index .Gone \"any\"}}", "<no value> " },
                { "{{.State}} {{.Mounts}}", "{running 0} [{bind /x false} {volume /y true}]" },
                { "{{.Created}}", "2026-11-22 11:40:45.5906 +0000 UTC" },
                { "{{.Ports}}", "map[80/tcp:[{ 8080}]]" },
                { "{{.Label \"a\"}}{{.Label \"zz\"}}{{\"b\" | .Label}}", "12" },
                { "{{1}} {{-5}} {{0x10}} {{1.25}} {{true}} {{'a'}} {{1e30}} {{100000000.0}}", "1 -5 16 1.25 true 97 1e+30 100000000" },
        };
        check_all(cases, ELEMENTSOF(cases));
}

TEST(what_a_struct_lacks_is_an_error) {
        static const Case cases[] = {
                { "{{.Nope}}", "error: can't evaluate field Nope: there is no such field" },
                { "x{{.State.Nope}}", "xerror: can't evaluate field Nope: there is no such field" },
                { "{{.Id.Nope}}", "error: can't evaluate field Nope in type string" },
                { "{{.Labels.zz.y}}", "error: nil value evaluating field y" },
                { "{{.Id \"a\"}}", "error: Id has arguments but is not a function" },
                { "{{range .Id}}{{end}}", "error: range can't iterate over a string" },
                { "{{index .Env 2}}", "error: index: index out of range: 2" },
                { "{{index .State 2}}", "error: index: can't index item of type struct" },
                { "{{len .Pid}}", "error: len of type int" },
                { "{{eq .Pid \"a\"}}", "error: eq: incompatible types for comparison: int and string" },
                { "{{join .Id \",\"}}", "error: join: wrong type for value; expected list of strings, got string" },
                { "{{upper .Pid}}", "error: upper: wrong type for argument 1: expected string, got int" },
                { "{{not}}", "error: wrong number of args for not: want 1 got 0" },
                { "{{eq 1}}", "error: wrong number of args for eq: want at least 2 got 1" },
        };
        check_all(cases, ELEMENTSOF(cases));
}

TEST(what_is_left_out_where_it_is_empty_is_a_field) {
        static const Case cases[] = {
                { "{{.Volumes}} {{.Entrypoint}} [{{.User}}] [{{.CreatedBy}}]", "map[] [] [] []" },
                { "{{.Volumes.a}} {{len .Entrypoint}} {{if .User}}x{{else}}none{{end}}", "<no value> 0 none" },
                { "{{range .Entrypoint}}x{{end}}{{range $k, $v := .Volumes}}x{{end}}{{json .Entrypoint}}", "null" },
                { "{{.Labels.User}}", "<no value>" },
                { "{{.created}}", "error: can't evaluate field created: there is no such field" },
        };
        check_all(cases, ELEMENTSOF(cases));
}

TEST(times_have_the_methods_of_go) {
        static const Case cases[] = {
                { "{{.Created.Unix}} {{.Created.UnixMilli}} {{.Created.UnixMicro}} {{.Created.UnixNano}}",
                  "1795347645 1795347645590 1795347645590600 1795347645590600000" },
                { "{{.Created.Year}} {{.Created.Month}} {{.Created.Day}} {{.Created.Weekday}} {{.Created.YearDay}}", "2026 November 22 Sunday 326" },
                { "{{.Created.Hour}} {{.Created.Minute}} {{.Created.Second}} {{.Created.Nanosecond}}", "11 40 45 590600000" },
                { "{{.Created.IsZero}} {{.Created.UTC}} {{.Created.String}}",
                  "false 2026-11-22 11:40:45.5906 +0000 UTC 2026-11-22 11:40:45.5906 +0000 UTC" },
                { "{{.Created.Format \"2006-01-02T15:04:05Z07:00\"}}", "2026-11-22T11:40:45Z" },
                { "{{.Created.Format \"Mon, 02 Jan 2006 15:04:05 MST\"}}", "Sun, 22 Nov 2026 11:40:45 UTC" },
                { "{{.Created.Format \"Monday January _2 3:04PM 06\"}}", "Sunday November 22 11:40AM 26" },
                { "{{.Created.Format \"1/2 4.5 002 __2 pm -0700 -07 Z07\"}}", "11/22 40.45 326 326 am +0000 +00 Z" },
                { "{{.Created.Format \"05.000 05.999999 05,9 .5\"}}", "45.590 45.5906 45,5 .45" },
                { "{{.Created.Format \"Month Janus day\"}}", "Month Janus day" },
                { "{{(.Created.UTC).Format \"15\"}} {{\"15\" | .Created.Format}} {{printf \"%d\" .Created.Unix}}", "11 11 1795347645" },
                { "{{if gt .Created.Unix 1000}}later{{end}}", "later" },
                { "{{.Created.Nope}}", "error: can't evaluate field Nope in type time" },
                { "{{.Created.Format 5}}", "error: Format wants a string" },
                { "{{.Created.Nope \"x\"}}", "error: Nope has arguments but is not a function" },
        };
        check_all(cases, ELEMENTSOF(cases));
        CHECK_STR(render_escaped("{{.Created.Format \"15:04 -07:00 MST\"}} {{.Created.UTC}} {{.Created.Unix}}",
                                 "{\"Created\":\"2026-11-22T11:40:45.123456789+05:30\"}", TEMPLATE_ESCAPE_NONE),
                  "11:40 +05:30 +0530 2026-11-22 06:10:45.123456789 +0000 UTC 1795327845");
        CHECK_STR(render_escaped("{{.Created.IsZero}} {{.Created.Year}} {{.Created.Format \"2006\"}}", "{\"Created\":\"0001-01-01T00:00:00Z\"}",
                                 TEMPLATE_ESCAPE_NONE), "true 1 0001");
        CHECK_STR(render_escaped("{{.Created.Unix}}", "{\"Created\":\"rubbish\"}", TEMPLATE_ESCAPE_NONE), "error: 'rubbish' is no time");
}

TEST(literal_text_and_trimming) {
        static const Case cases[] = {
                { "a\\tb\\n", "a\tb\n" },
                { "a  {{- .Id -}}  b", "aabcb" },
                { "a \n {{- \"x\" }} b", "ax b" },
                { "{{\"a\\tb\\x41\\u00e9\"}}{{`raw\\n`}}", "a\tbA\u00e9raw\\n" },
                { "a{{/* a comment }} */}}b", "ab" },
                { "a {{- /* a comment */ -}} b", "ab" },
                { "{{.Id}} { } }}", "abc { } }}" },
                { "{{\n.Id\n}}", "abc" },
                { "{{- .Id}} {{.Id -}}", "abc abc" },
        };
        check_all(cases, ELEMENTSOF(cases));
}

TEST(blocks) {
        static const Case cases[] = {
                { "{{if .Running}}up{{else}}down{{end}}", "up" },
                { "{{if .Dead}}a{{else if .Empty}}b{{else if .Pid}}c{{else}}d{{end}}e", "ce" },
                { "{{if .Labels.zz}}a{{else}}b{{end}}", "b" },
                { "{{range .Env}}<{{.}}>{{end}}", "<A=b><C=d e>" },
                { "{{range .No}}x{{else}}none{{end}}", "none" },
                { "{{range .None}}x{{else}}none{{end}}", "none" },
                { "{{range $i, $e := .Env}}{{$i}}={{$e}};{{end}}", "0=A=b;1=C=d e;" },
                { "{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}", "a=1 b=2 " },
                { "{{range $m := .Mounts}}{{$m.Source}}{{$.Name}} {{end}}", "/xweb /yweb " },
                { "{{range .Mounts}}{{if .RW}}{{break}}{{end}}{{.Source}}{{end}}", "/x" },
                { "{{range .Mounts}}{{if not .RW}}{{continue}}{{end}}{{.Source}}{{end}}", "/y" },
                { "{{range $p, $c := .Ports}}{{$p}}->{{(index $c 0).HostPort}}{{end}}", "80/tcp->8080" },
                { "{{with .State}}{{.Status}}{{end}}{{with .Empty}}x{{else}}none{{end}}", "runningnone" },
                { "{{with $x := .Name}}{{$x}}{{.}}{{end}}", "webweb" },
                { "{{$x := 1}}{{if true}}{{$x = 2}}{{$y := 3}}{{$y}}{{end}}{{$x}}", "32" },
                { "{{$n := 0}}{{range .Env}}{{$n = len .}}{{end}}{{$n}}", "5" },
        };
        check_all(cases, ELEMENTSOF(cases));
}

TEST(functions) {
        static const Case cases[] = {
                { "{{json .State}} {{json .Labels}} {{json .Env}}",
                  "{\"Status\":\"running\",\"ExitCode\":0} {\"b\":\"2\",\"a\":\"1\"} [\"A=b\",\"C=d e\"]" },
                { "{{json .Id}} {{json .Labels.zz}}", "\"abc\" null" },
                { "{{index .Labels \"a\"}}{{index .Labels \"zz\"}}{{index .Env 1}}", "1C=d e" },
                { "{{(index (index .Ports \"80/tcp\") 0).HostPort}} {{(index .Ports \"80/tcp\" 0).HostPort}}", "8080 8080" },
                { "{{len .Env}} {{len .Id}} {{len .Labels}} {{len .None}}", "2 3 2 0" },
                { "{{join .Env \",\"}} {{join .None \",\"}}|", "A=b,C=d e |" },
                { "{{upper .Name}} {{lower \"AbC\"}} {{title \"abc def\"}} {{split \"a,b\" \",\"}} {{truncate .Id 2}}{{pad .Id 1 2}}|",
                  "WEB abc Abc Def [a b] ab abc  |" },
                { "{{slice .Id 1}} {{slice .Id 0 2}} {{slice .Env 1}}", "bc ab [C=d e]" },
                { "{{.Name | upper | printf \"%s-%s\" .Id}}", "abc-WEB" },
                { "{{print 1 2 \"a\" 3 true}} {{println \"a\" 1}}", "1 2a3 true a 1\n" },
                { "{{eq .Name \"web\"}} {{eq .Pid 1 2 241}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt \"b\" \"a\"}} {{ge 1 2}}",
                  "true true true true true true false" },
                { "{{and 1 0 2}} {{or 0 \"\" 3}} {{not 0}} {{and true .Running}} {{or .Empty \"x\"}}", "0 3 true true x" },
                { "{{and false (index .Env 99)}} {{or true (index .Env 99)}}", "false true" },
                { "{{if and .Running (eq .State.Status \"running\")}}y{{end}}", "y" },
        };
        check_all(cases, ELEMENTSOF(cases));
}

TEST(printf_as_in_go) {
        static const Case cases[] = {
                { "{{printf \"%s %v %d %q %t %%\" .Id .Pid 5 \"a\\\"b\" true}}", "abc 241 5 \"a\\\"b\" true %" },
                { "{{printf \"%5s|%-5s|%05d|%x|%X|%o|%b|%c|%+d|%.2s\" \"a\" \"b\" -42 255 255 8 5 65 5 \"abcd\"}}",
                  "    a|b    |-0042|ff|FF|10|101|A|+5|ab" },
                { "{{printf \"%d\" \"abc\"}} {{printf \"%s\" 5}} {{printf \"%d\"}} {{printf \"%s\" \"a\" \"b\"}}",
                  "%!d(string=abc) %!s(int=5) %!d(MISSING) a%!(EXTRA string=b)" },
                { "{{printf \"%v %s %q\" .Env .Env .Env}}", "[A=b C=d e] [A=b C=d e] [\"A=b\" \"C=d e\"]" },
                { "{{printf \"%v|%-20v|%6d\" .Labels .Labels 5}}", "map[a:1 b:2]|map[a:1 b:2]        |     5" },
                { "{{printf \"%.2f %5.1f %g %e\" .Load .Load .Load .Load}}", "1.50   1.5 1.5 1.500000e+00" },
                { "{{printf \"%99999d\" 1}}", "error: printf: a width or precision above 4096" },
                { "{{printf \"%z\" 1}}", "error: printf: '%z' is not supported" },
        };
        check_all(cases, ELEMENTSOF(cases));
}

TEST(broken_templates_are_refused) {
        static const Case cases[] = {
                { "{{.Name", "error: line 1: unclosed action" },
                { "{{", "error: line 1: unclosed action" },
                { "a\n{{}}", "error: line 2: missing value" },
                { "{{if}}{{end}}", "error: line 1: missing value" },
                { "{{if .Id}}", "error: line 1: unexpected end of the template: {{end}} is missing" },
                { "{{end}}", "error: line 1: unexpected {{end}}" },
                { "{{else}}", "error: line 1: unexpected {{else}}" },
                { "{{if 1}}{{else}}{{else}}{{end}}", "error: line 1: expected end, found else" },
                { "{{foo .}}", "error: line 1: function 'foo' not defined" },
                { "{{$x}}", "error: line 1: undefined variable '$x'" },
                { "{{if true}}{{$x := 1}}{{end}}{{$x}}", "error: line 1: undefined variable '$x'" },
                { "{{if $x := 1}}{{end}}{{$x}}", "error: line 1: undefined variable '$x'" },
                { "{{(.Id}}", "error: line 1: unclosed left parenthesis" },
                { "{{.Id)}}", "error: line 1: unexpected ')' in action" },
                { "{{\"abc}}", "error: line 1: unterminated quoted string" },
                { "{{\"\\q\"}}", "error: line 1: unknown escape in a quoted string" },
                { "{{.Id | 1}}", "error: line 1: a constant cannot take the value before '|'" },
                { "{{nil}}", "error: line 1: nil is not a command" },
                { "{{template \"x\"}}", "error: line 1: {{template}} is not supported" },
                { "{{break}}", "error: line 1: {{break}} outside {{range}}" },
                { "{{/* x}}", "error: line 1: unclosed comment" },
                { "{{/* x */ .Id}}", "error: line 1: comment ends before closing delimiter" },
                { "{{if $a, $b := .Id}}{{end}}", "error: line 1: only range sets two variables" },
                { "{{.Id.}}", "error: line 1: a field's name is missing after '.'" },
                { "{{12x}}", "error: line 1: bad number '12x'" },
        };
        check_all(cases, ELEMENTSOF(cases));
}

TEST(hostile_templates_are_bounded) {
        char deep[4000], *p = deep;

        for (size_t i = 0; i < 300; i++)
                p = stpcpy(p, "{{if 1}}");
        CHECK(strstr(render(deep), "nested deeper than 64"));
        p = stpcpy(deep, "{{");
        for (size_t i = 0; i < 300; i++)
                p = stpcpy(p, "(");
        CHECK(strstr(render(deep), "nested deeper than 64"));
        p = deep;
        for (size_t i = 0; i < 40; i++)
                p = stpcpy(p, "{{range $.Env}}");
        for (size_t i = 0; i < 40; i++)
                p = stpcpy(p, "{{end}}");
        CHECK(strstr(render(deep), "more than 20000000 steps"));
        p = stpcpy(deep, "{{$x := \"aaaaaaaaaaaaaaaa\"}}");
        for (size_t i = 0; i < 40; i++)
                p = stpcpy(p, "{{$x = print $x $x $x}}");
        CHECK(strstr(render(deep), "a string of more than 1048576 bytes"));
}

TEST(control_bytes_of_values_are_escaped_when_asked) {
        static const char data[] = "{\"Name\":\"a\\u001b[31m\\nb\\tc\\u007f\\u009b\"}";

        CHECK_STR(render_escaped("{{.Name}}", data, TEMPLATE_ESCAPE_NONE), "a\x1b[31m\nb\tc\x7f\xc2\x9b");
        CHECK_STR(render_escaped("{{.Name}}\x1b", data, TEMPLATE_ESCAPE_LINES), "a\\x1b[31m\nb\tc\\x7f\\xc2\\x9b\x1b");
        CHECK_STR(render_escaped("{{.Name}}{{\"\\t\"}}", data, TEMPLATE_ESCAPE_ALL),
                  "a\\x1b[31m\\x0ab\\x09c\\x7f\\xc2\\x9b\t");
        CHECK_STR(render_escaped("{{json .}}", data, TEMPLATE_ESCAPE_NONE),
                  "{\"Name\":\"a\\u001B[31m\\nb\\tc\\u007F\\u009B\"}");
}

TEST(what_a_template_reads_is_known) {
        _cleanup_template_ Template *template = NULL;

        CHECK_INT(template_parse("{{if .Size}}{{range .}}{{.A.B}}{{end}}{{end}}", 0, &template, NULL), 0);
        CHECK(template_uses_field(template, "Size"));
        CHECK(template_uses_field(template, "B"));
        CHECK(!template_uses_field(template, "Name"));
        CHECK(!template_ranges_over_dot(template));
        template = template_free(template);
        CHECK_INT(template_parse(" {{ range . }}{{.A}}{{end}}", 0, &template, NULL), 0);
        CHECK(template_ranges_over_dot(template));
}
