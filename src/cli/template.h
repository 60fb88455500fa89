/* SPDX-License-Identifier: Apache-2.0 */
/* The part of Go's text/template that people write after --format: fields, pipelines, if, range, with, variables and the
 * functions that Podman offers (podman-ps(1), podman-inspect(1)), evaluated over JSON.
 *
 * Go knows structs from maps: a field that a struct lacks is an error, a key that a map lacks prints "<no value>". JSON
 * has objects only, so the caller's TemplateTypes name the fields that are maps (Labels, Annotations, ...), those that
 * are times, other names of a field, and those that are left out where they are empty; every other object is a struct.
 *
 * A template may come from anywhere: its size, nesting, steps and padding are bounded, and what goes beyond is an error. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"

enum {
        TEMPLATE_SIZE_LIMIT = 64 * 1024,  /* bytes of the template */
        TEMPLATE_DEPTH_LIMIT = 64,        /* blocks, parentheses and printed values inside each other */
        TEMPLATE_STEP_LIMIT = 20 * 1000 * 1000, /* nodes and operands evaluated, and 16 bytes printed */
        TEMPLATE_TEXT_LIMIT = 1024 * 1024, /* bytes of a string that a function makes */
        TEMPLATE_PADDING_LIMIT = 4096,    /* printf's width and precision, pad */
        TEMPLATE_VARIABLE_LIMIT = 256,
};

typedef struct Template Template;

/* Lists end with NULL; any may be NULL. */
typedef struct TemplateTypes {
        const char *const *maps;    /* fields whose objects are maps */
        const char *const *times;   /* fields that hold RFC 3339 times: printed as Go's time.Time is */
        const char *const *aliases; /* pairs: a name, the field that it stands for */
        const char *const *lookups; /* pairs: a method, the map it looks up in: .Label "a" */
        const char *const *absent;  /* pairs: a field that the JSON leaves out where it is empty, and the JSON of what it is then */
} TemplateTypes;

typedef enum TemplateFlags {
        TEMPLATE_TABLE = 1 << 0, /* a space between actions separates columns, as after "table " */
} TemplateFlags;

/* What happens to control bytes in printed values. Literal text of the template is never touched. */
typedef enum TemplateEscape {
        TEMPLATE_ESCAPE_NONE,  /* for programs: the bytes as they are */
        TEMPLATE_ESCAPE_LINES, /* for terminals: all as \xNN but newline and tab */
        TEMPLATE_ESCAPE_ALL,   /* for cells of a table */
} TemplateEscape;

/* Parses; `\t` and `\n` in the literal text are a tab and a newline. -EINVAL with the place. */
int template_parse(const char *text, TemplateFlags flags, Template **ret, Error *reterr);
Template *template_free(Template *template);
DEFINE_CLEANUP(Template, template_free)
#define _cleanup_template_ _cleanup_(template_freep)

/* Whether it begins with {{range .}}, and so wants the whole list at once. */
bool template_ranges_over_dot(const Template *template) _pure_;

/* Whether it reads a field of this name anywhere: what nobody asks for need not be found out. */
bool template_uses_field(const Template *template, const char *name) _pure_;

/* Evaluates over `data` into `out`. What came before an error has been written. `types` may be NULL. */
int template_execute(const Template *template, const json_t *data, const TemplateTypes *types, TemplateEscape escape,
                     FILE *out, Error *reterr);

/* Compact or indented JSON text, with control bytes (DEL and C1 too) as \uNNNN. Owned; NULL when out of memory. */
char *template_json_text(const json_t *value, size_t flags);
