/* SPDX-License-Identifier: Apache-2.0 */
/* Parses templates: literal text, {{actions}} and blocks. */
#include "base/str.h"
#include "cli/template-scan.h"

/* What ends a list of nodes. */
typedef enum Ending {
        ENDING_EOF,
        ENDING_END,
        ENDING_ELSE,      /* {{else}} */
        ENDING_ELSE_IF,   /* {{else if ...}}: the parser stands at the pipeline */
        ENDING_ELSE_WITH,
} Ending;

static int parse_list(TemplateParser *p, Node **ret, Ending *ret_ending);

/* The rest of a block after its keyword: pipeline, list, perhaps else, end. */
static int parse_block(TemplateParser *p, NodeType type, Node *node) {
        size_t scope = p->n_variables, inner;
        Ending ending;
        int r;

        if (++p->depth > TEMPLATE_DEPTH_LIMIT)
                return scan_fail(p, "nested deeper than %d", TEMPLATE_DEPTH_LIMIT);
        node->type = type;
        r = template_parse_pipe(p, "}}", &node->pipe);
        if (r < 0)
                return r;
        if (type != NODE_RANGE && node->pipe->n_variables > 1)
                return scan_fail(p, "only range sets two variables");
        inner = p->n_variables;
        p->n_loops += type == NODE_RANGE;
        r = parse_list(p, &node->list, &ending);
        p->n_loops -= type == NODE_RANGE;
        p->n_variables = inner;
        if (r >= 0 && (ending == ENDING_ELSE_IF || ending == ENDING_ELSE_WITH)) {
                if (type == NODE_RANGE || (ending == ENDING_ELSE_WITH) != (type == NODE_WITH))
                        return scan_fail(p, "else of another kind of block");
                node->otherwise = scan_new(p, sizeof(Node));
                if (!node->otherwise)
                        return error_oom(p->reterr);
                r = parse_block(p, type, node->otherwise); /* its end is ours */
        } else if (r >= 0 && ending == ENDING_ELSE) {
                r = parse_list(p, &node->otherwise, &ending);
                if (r >= 0 && ending != ENDING_END && ending != ENDING_EOF)
                        return scan_fail(p, "expected end, found else");
        }
        if (r < 0)
                return r;
        if (ending == ENDING_EOF)
                return scan_fail(p, "unexpected end of the template: {{end}} is missing");
        p->n_variables = scope;
        p->depth--;
        return 0;
}

static int parse_else(TemplateParser *p, Ending *ret) {
        static const struct {
                const char *word;
                Ending ending;
        } kinds[] = { { "if", ENDING_ELSE_IF }, { "with", ENDING_ELSE_WITH } };
        const char *word;

        scan_skip_space(p);
        size_t n = scan_word(p, &word);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (scan_word_is(word, n, kinds[i].word)) {
                        *ret = kinds[i].ending;
                        return 0;
                }
        p->pos -= n;
        *ret = ENDING_ELSE;
        return scan_close(p, "else");
}

static int parse_keyword(TemplateParser *p, const char *word, size_t n, Node *node, Ending *ret_ending) {
        static const struct {
                const char *word;
                NodeType type;
        } blocks[] = { { "if", NODE_IF }, { "range", NODE_RANGE }, { "with", NODE_WITH } },
          jumps[] = { { "break", NODE_BREAK }, { "continue", NODE_CONTINUE } };
        static const char *const refused[] = { "define", "template", "block" };

        for (size_t i = 0; i < ELEMENTSOF(blocks); i++)
                if (scan_word_is(word, n, blocks[i].word))
                        return parse_block(p, blocks[i].type, node);
        for (size_t i = 0; i < ELEMENTSOF(jumps); i++)
                if (scan_word_is(word, n, jumps[i].word)) {
                        node->type = jumps[i].type;
                        return p->n_loops == 0 ? scan_fail(p, "{{%s}} outside {{range}}", jumps[i].word)
                                               : scan_close(p, jumps[i].word);
                }
        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                if (scan_word_is(word, n, refused[i]))
                        return scan_fail(p, "{{%s}} is not supported", refused[i]);
        if (scan_word_is(word, n, "end")) {
                *ret_ending = ENDING_END;
                return scan_close(p, "end");
        }
        if (scan_word_is(word, n, "else"))
                return parse_else(p, ret_ending);
        p->pos -= n;
        node->type = NODE_ACTION;
        return template_parse_pipe(p, "}}", &node->pipe);
}

static int parse_comment(TemplateParser *p) {
        const char *end = memmem(p->text + p->pos, p->end - p->pos, "*/", 2);

        if (!end)
                return scan_fail(p, "unclosed comment");
        p->pos = (size_t) (end - p->text) + 2;
        if (scan_is_at(p, "}}") || scan_is_at(p, " -}}"))
                return scan_close(p, "comment");
        return scan_fail(p, "comment ends before closing delimiter");
}

/* An action, from behind its "{{" (and "- "): a node, a comment (node->type stays text), or the end of the list. */
static int parse_action(TemplateParser *p, Node *node, Ending *ret_ending) {
        const char *word;

        if (scan_is_at(p, "/*"))
                return parse_comment(p);
        scan_skip_space(p);
        size_t n = scan_word(p, &word);
        return parse_keyword(p, word, n, node, ret_ending);
}

/* Literal text: white space trimmed towards actions that ask for it, `\t` and `\n` replaced, columns of a table made. */
static int take_text(TemplateParser *p, size_t size, bool trim_right, Node *node) {
        const char *s = p->text + p->pos;
        char *to;

        p->pos += size;
        while (p->trim && size > 0 && scan_is_space(*s)) {
                s++;
                size--;
        }
        while (trim_right && size > 0 && scan_is_space(s[size - 1]))
                size--;
        node->type = NODE_TEXT;
        node->text = to = scan_new_text(p, s, size);
        if (!to)
                return error_oom(p->reterr);
        for (size_t i = 0; i < size; i++)
                if (s[i] == '\\' && i + 1 < size && (s[i + 1] == 't' || s[i + 1] == 'n'))
                        *to++ = s[++i] == 't' ? '\t' : '\n';
                else
                        *to++ = s[i] == ' ' && (p->flags & TEMPLATE_TABLE) ? '\t' : s[i];
        node->size = (size_t) (to - node->text);
        return 0;
}

static int parse_list(TemplateParser *p, Node **ret, Ending *ret_ending) {
        Node **end = ret;

        for (;;) {
                const char *open = memmem(p->text + p->pos, p->end - p->pos, "{{", 2);
                size_t until = open ? (size_t) (open - p->text) : p->end;
                bool trims = open && until + 3 < p->end && open[2] == '-' && scan_is_space(open[3]);
                Node *text = scan_new(p, sizeof(Node)), *node = scan_new(p, sizeof(Node));
                Ending ending = ENDING_EOF;

                if (!text || !node)
                        return error_oom(p->reterr);
                int r = take_text(p, until - p->pos, trims, text);
                if (r < 0)
                        return r;
                if (text->size > 0) {
                        *end = text;
                        end = &text->next;
                }
                if (!open) {
                        *ret_ending = ENDING_EOF;
                        return 0;
                }
                p->trim = false;
                p->pos += trims ? 4 : 2;
                r = parse_action(p, node, &ending);
                if (r < 0)
                        return r;
                if (ending != ENDING_EOF) {
                        *ret_ending = ending;
                        return 0;
                }
                if (node->type == NODE_TEXT)
                        continue;
                *end = node;
                end = &node->next;
        }
}

int template_parse(const char *text, TemplateFlags flags, Template **ret, Error *reterr) {
        _cleanup_template_ Template *template = calloc(1, sizeof(Template));
        Ending ending;

        if (!template || !(template->source = strndup(text, strlen(text) - str_has_suffix(text, "\n"))) ||
            !(template->constants = json_array()) || !(template->fields = json_object()))
                return error_oom(reterr);
        TemplateParser p = { .template = template, .text = text, .end = strlen(text), .flags = flags, .reterr = reterr };
        if (p.end > TEMPLATE_SIZE_LIMIT)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot parse a template of %zu bytes: at most %d", p.end,
                                 TEMPLATE_SIZE_LIMIT);
        int r = parse_list(&p, &template->root, &ending);
        if (r < 0)
                return r;
        if (ending != ENDING_EOF)
                return scan_fail(&p, "unexpected {{%s}}", ending == ENDING_END ? "end" : "else");
        *ret = TAKE_PTR(template);
        return 0;
}

Template *template_free(Template *template) {
        if (!template)
                return NULL;
        for (Block *next, *block = template->blocks; block; block = next) {
                next = block->next;
                free(block);
        }
        json_decref(template->constants);
        json_decref(template->fields);
        free(template->source);
        free(template);
        return NULL;
}

bool template_ranges_over_dot(const Template *template) {
        const Node *first = template->root;

        while (first && first->type == NODE_TEXT && strspn(first->text, " \t\r\n") == first->size)
                first = first->next;
        if (!first || first->type != NODE_RANGE || first->pipe->commands->next)
                return false;
        const Operand *operand = first->pipe->commands->operands;
        return operand->type == OPERAND_DOT && operand->n_fields == 0 && !operand->next;
}

bool template_uses_field(const Template *template, const char *name) {
        return json_object_get(template->fields, name);
}
