/* SPDX-License-Identifier: Apache-2.0 */
/* Goes through the bytes of a template: words, white space, the ends of actions. */
#include "cli/template-scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int scan_fail(TemplateParser *p, const char *format, ...) {
        _cleanup_free_ char *reason = NULL;
        size_t line = 1;
        va_list ap;

        va_start(ap, format);
        int r = vasprintf(&reason, format, ap);
        va_end(ap);
        if (r < 0)
                return error_oom(p->reterr);
        for (size_t i = 0; i < p->pos; i++)
                line += p->text[i] == '\n' && i + 1 < p->end; /* what ends the last line begins none */
        return error_set(p->reterr, -EINVAL, ERROR_INVALID, "cannot parse template '%s': line %zu: %s", p->template->source,
                         line, reason);
}

void *scan_new(TemplateParser *p, size_t size) {
        Block *block = calloc(1, sizeof(Block) + size);

        if (!block)
                return NULL;
        block->next = p->template->blocks;
        p->template->blocks = block;
        return block->data;
}

char *scan_new_text(TemplateParser *p, const char *s, size_t size) {
        char *copy = scan_new(p, size + 1);

        if (copy)
                memcpy(copy, s, size);
        return copy;
}

bool scan_is_at(const TemplateParser *p, const char *what) {
        size_t n = strlen(what);

        return p->end - p->pos >= n && memcmp(p->text + p->pos, what, n) == 0;
}

void scan_skip_space(TemplateParser *p) {
        while (p->pos < p->end && scan_is_space(p->text[p->pos]))
                p->pos++;
}

size_t scan_word(TemplateParser *p, const char **ret) {
        size_t start = p->pos;

        while (p->pos < p->end && scan_is_word(p->text[p->pos]))
                p->pos++;
        *ret = p->text + start;
        return p->pos - start;
}

bool scan_word_is(const char *word, size_t n, const char *wanted) {
        return strlen(wanted) == n && memcmp(word, wanted, n) == 0;
}

/* Where an action may end: "}}", or white space and "-}}". Passed when it is there. */
static bool at_close(TemplateParser *p) {
        if (scan_is_at(p, "-}}") && p->pos > 0 && scan_is_space(p->text[p->pos - 1])) {
                p->pos += 3;
                p->trim = true;
                return true;
        }
        if (scan_is_at(p, "}}")) {
                p->pos += 2;
                p->trim = false;
                return true;
        }
        return false;
}

int scan_close(TemplateParser *p, const char *what) {
        scan_skip_space(p);
        if (at_close(p))
                return 0;
        if (p->pos >= p->end)
                return scan_fail(p, "unclosed action");
        return scan_fail(p, "unexpected '%c' in %s", p->text[p->pos], what);
}
