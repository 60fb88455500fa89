/* SPDX-License-Identifier: Apache-2.0 */
/* What --format, --noheading and --quiet mean, for commands that list things and for those that inspect one.
 *
 * Control bytes: JSON escapes its own; a table escapes all of them in its cells; a template of the user's escapes them
 * only when stdout is a terminal, since what reads a pipe wants the bytes as they are. */
#pragma once

#include "cli/template.h"

/* A field that a list's template may name, and its heading (NULL: the name's words in upper case: "CREATED AT"). */
typedef struct FormatField {
        const char *name, *heading;
} FormatField;

typedef struct FormatList {
        const FormatField *fields;  /* ended by a NULL name */
        const TemplateTypes *types; /* may be NULL */
        const char *table;          /* of the default output: "table {{.ID}}\t{{.Name}}" */
        unsigned json_indent;       /* of its JSON, which Podman indents differently in each list; 0: a single line */
} FormatList;

/* "json", "{{json}}" and "{{json .}}" ask for the rows as JSON. */
bool format_is_json(const char *format);

/* Whether the format (NULL: the default table) reads that field. False for a format that does not parse. */
bool format_uses_field(const char *format, const char *name);

/* Prints an array of rows, objects with all of list->fields, by the user's format, as JSON where that asks for it, or (NULL) as the
 * list's table. */
int format_list(const FormatList *list, const char *format, bool no_heading, const json_t *rows, FILE *out, Error *reterr);

/* Prints one line for each object by the user's template, as `inspect --format` does; "json" prints the array. */
int format_objects(const char *format, const TemplateTypes *types, const json_t *objects, FILE *out, Error *reterr);

/* Prints JSON text and a newline; `indent` is the number of spaces, 0 for a single line. */
int format_json(const json_t *value, unsigned indent, FILE *out, Error *reterr);

/* Prints an ID a line, cut to 12 digits unless `no_trunc`. */
int format_quiet(const json_t *rows, const char *key, bool no_trunc, FILE *out, Error *reterr);
