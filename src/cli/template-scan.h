/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a template under its parser; private to the parser's files (template-parse.c, template-pipe.c). */
#pragma once

#include "cli/template-node.h"

typedef struct TemplateParser {
        Template *template;
        const char *text;
        size_t pos, end;
        unsigned depth, n_loops;
        TemplateFlags flags;
        bool trim;                 /* the action before ended with -}} */
        const char *variables[TEMPLATE_VARIABLE_LIMIT];
        size_t n_variables;
        Error *reterr;
} TemplateParser;

/* Sets the error "cannot parse template '<template>': line <where the parser stands>: <reason>"; -EINVAL. */
int scan_fail(TemplateParser *p, const char *format, ...) _printf_(2, 3);

/* Memory that the template owns, zeroed, and a copy of a text in such. NULL when out of memory. */
void *scan_new(TemplateParser *p, size_t size);
char *scan_new_text(TemplateParser *p, const char *s, size_t size);

static inline bool scan_is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool scan_is_word(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80);
}

/* The byte at the parser; 0 at the end. */
static inline char scan_peek(const TemplateParser *p) {
        return p->pos < p->end ? p->text[p->pos] : 0;
}

/* Whether the parser stands before these bytes. */
bool scan_is_at(const TemplateParser *p, const char *what);

void scan_skip_space(TemplateParser *p);

/* The word at the parser, which is passed: its length, 0 where there is none. Borrowed from the text. */
size_t scan_word(TemplateParser *p, const char **ret);
bool scan_word_is(const char *word, size_t n, const char *wanted);

/* Passes the end of an action; another thing there is an error, in which the action is called `what`. */
int scan_close(TemplateParser *p, const char *what);

/* Parses commands between "|", up to `close` ("}}" stands for every way in which an action ends), which is passed. In
 * template-pipe.c. */
int template_parse_pipe(TemplateParser *p, const char *close, Pipe **ret);
