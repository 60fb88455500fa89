/* SPDX-License-Identifier: Apache-2.0 */
/* What --format, --noheading and --quiet mean. */
#include "cli/format.h"

#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/columns.h"

static const char table_prefix[] = "table ";

bool format_is_json(const char *format) {
        static const char *const forms[] = { "json", "{{json}}", "{{json.}}" };
        _cleanup_free_ char *squeezed = format ? strdup(format) : NULL;
        char *to = squeezed;

        if (!squeezed)
                return false;
        for (const char *s = format; *s; s++)
                if (*s != ' ')
                        *to++ = *s;
        *to = 0;
        for (size_t i = 0; i < ELEMENTSOF(forms); i++)
                if (strcmp(squeezed, forms[i]) == 0)
                        return true;
        return false;
}

/* Whether an action has a string with `\n` in it: {{printf "%s\n" .Name}}. */
static bool makes_own_lines(const char *format) {
        for (const char *open = strstr(format, "{{"); open; open = strstr(open, "{{")) {
                bool quoted = false;

                for (open += 2; *open && (quoted || !str_after(open, "}}")); open++) {
                        if (*open == '"')
                                quoted = !quoted;
                        else if (quoted && *open == '\\' && *++open == 'n')
                                return true;
                        if (!*open)
                                return false;
                }
        }
        return false;
}

/* A line for each object: the newline that people leave out is added, but where the template makes lines itself (as in
 * Podman, which reads such a template as it stands). */
static int parse_line(const char *format, TemplateFlags flags, Template **ret, Error *reterr) {
        bool ends = str_has_suffix(format, "\n") || str_has_suffix(format, "\\n") || makes_own_lines(format);
        _cleanup_free_ char *line = ends ? strdup(format) : str_format("%s\n", format);

        if (!line)
                return error_oom(reterr);
        return template_parse(line, flags, ret, reterr);
}

bool format_uses_field(const char *format, const char *name) {
        _cleanup_template_ Template *template = NULL;

        if (!format || template_parse(format, 0, &template, NULL) < 0)
                return false;
        return template_uses_field(template, name);
}

static bool is_upper(char c) {
        return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c) {
        return c >= 'a' && c <= 'z';
}

/* "ImageID" is two words, "CIDFile" too. */
static char *heading_from_name(const char *name) {
        char *heading = malloc(strlen(name) * 2 + 1), *to = heading;

        if (!heading)
                return NULL;
        for (size_t i = 0; name[i]; i++) {
                if (i > 0 && is_upper(name[i]) && (is_lower(name[i - 1]) || is_lower(name[i + 1])))
                        *to++ = ' ';
                *to++ = (char) (is_lower(name[i]) ? name[i] - 32 : name[i]);
        }
        *to = 0;
        return heading;
}

static json_t *headings(const FormatField *fields) {
        _cleanup_json_ json_t *row = json_object();

        for (; fields->name; fields++) {
                _cleanup_free_ char *made = fields->heading ? NULL : heading_from_name(fields->name);

                if (json_object_set_new_nocheck(row, fields->name, json_text(fields->heading ?: made ?: "")) < 0)
                        return NULL;
        }
        return TAKE_PTR(row);
}

/* One execution over the whole list where the template itself ranges over it, else one for each row. */
static int execute_rows(const Template *template, const json_t *rows, const TemplateTypes *types, TemplateEscape escape,
                        FILE *out, Error *reterr) {
        const json_t *row;
        size_t i;

        if (template_ranges_over_dot(template))
                return template_execute(template, rows, types, escape, out, reterr);
        json_array_foreach(rows, i, row) {
                int r = template_execute(template, row, types, escape, out, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_columns(const char *text, FILE *out, Error *reterr) {
        int r = columns_write(text, out);

        return r < 0 ? error_set_errno(reterr, r, "cannot write the table") : 0;
}

static int format_table(const FormatList *list, const char *format, bool no_heading, const json_t *rows, FILE *out,
                        Error *reterr) {
        _cleanup_template_ Template *template = NULL;
        _cleanup_json_ json_t *heads = json_array();
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *memory;

        int r = parse_line(format, TEMPLATE_TABLE, &template, reterr);
        if (r < 0)
                return r;
        if (json_array_append_new(heads, headings(list->fields)) < 0)
                return error_oom(reterr);
        memory = open_memstream(&text, &size);
        if (!memory)
                return error_oom(reterr);
        if (!no_heading)
                r = execute_rows(template, heads, NULL, TEMPLATE_ESCAPE_ALL, memory, reterr);
        if (r >= 0)
                r = execute_rows(template, rows, list->types, TEMPLATE_ESCAPE_ALL, memory, reterr);
        if (fclose(memory) != 0)
                return error_oom(reterr);
        return r < 0 ? r : write_columns(text, out, reterr);
}

static TemplateEscape escape_for(FILE *out) {
        return isatty(fileno(out)) ? TEMPLATE_ESCAPE_LINES : TEMPLATE_ESCAPE_NONE;
}

int format_list(const FormatList *list, const char *format, bool no_heading, const json_t *rows, FILE *out, Error *reterr) {
        _cleanup_template_ Template *template = NULL;
        const char *columns = str_after(format ?: list->table, table_prefix);

        if (format_is_json(format))
                return format_json(rows, list->json_indent, out, reterr);
        if (columns)
                return format_table(list, columns, no_heading, rows, out, reterr);
        int r = parse_line(format ?: list->table, 0, &template, reterr);
        if (r < 0)
                return r;
        return execute_rows(template, rows, list->types, escape_for(out), out, reterr);
}

int format_objects(const char *format, const TemplateTypes *types, const json_t *objects, FILE *out, Error *reterr) {
        _cleanup_template_ Template *template = NULL;
        _cleanup_free_ char *text = NULL;
        const char *columns = str_after(format, table_prefix);
        size_t size;
        FILE *memory;

        if (strcmp(format, "json") == 0)
                return format_json(objects, 5, out, reterr);
        int r = parse_line(columns ?: format, columns ? TEMPLATE_TABLE : 0, &template, reterr);
        if (r < 0)
                return r;
        if (!columns)
                return execute_rows(template, objects, types, escape_for(out), out, reterr);
        memory = open_memstream(&text, &size);
        if (!memory)
                return error_oom(reterr);
        r = execute_rows(template, objects, types, TEMPLATE_ESCAPE_ALL, memory, reterr);
        if (fclose(memory) != 0)
                return error_oom(reterr);
        return r < 0 ? r : write_columns(text, out, reterr);
}

int format_json(const json_t *value, unsigned indent, FILE *out, Error *reterr) {
        _cleanup_free_ char *text = template_json_text(value, indent > 0 ? JSON_INDENT(indent) : JSON_COMPACT);

        if (!text)
                return error_oom(reterr);
        if (fprintf(out, "%s\n", text) < 0)
                return error_set_errno(reterr, -EIO, "cannot write the output");
        return 0;
}

int format_quiet(const json_t *rows, const char *key, bool no_trunc, FILE *out, Error *reterr) {
        const json_t *row;
        size_t i;

        json_array_foreach(rows, i, row)
                if (fprintf(out, "%.*s\n", no_trunc ? 1024 : 12, json_get_string(row, key) ?: "") < 0)
                        return error_set_errno(reterr, -EIO, "cannot write the output");
        return 0;
}
