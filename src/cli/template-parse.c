/* SPDX-License-Identifier: Apache-2.0 */
/* Parses templates: literal text, {{actions}}, blocks and pipelines, by recursive descent over the bytes. */
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "cli/template-node.h"

typedef struct Parser {
        Template *template;
        const char *text;
        size_t pos, end;
        unsigned depth, n_loops;
        TemplateFlags flags;
        bool trim;                 /* the action before ended with -}} */
        const char *variables[TEMPLATE_VARIABLE_LIMIT];
        size_t n_variables;
        Error *reterr;
} Parser;

/* What ends a list of nodes. */
typedef enum Ending {
        ENDING_EOF,
        ENDING_END,
        ENDING_ELSE,      /* {{else}} */
        ENDING_ELSE_IF,   /* {{else if ...}}: the parser stands at the pipeline */
        ENDING_ELSE_WITH,
} Ending;

static int parse_list(Parser *p, Node **ret, Ending *ret_ending);
static int parse_pipe(Parser *p, const char *close, Pipe **ret);

static int fail(Parser *p, const char *format, ...) _printf_(2, 3);

static int fail(Parser *p, const char *format, ...) {
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

static void *block_new(Parser *p, size_t size) {
        Block *block = calloc(1, sizeof(Block) + size);

        if (!block)
                return NULL;
        block->next = p->template->blocks;
        p->template->blocks = block;
        return block->data;
}

static char *text_new(Parser *p, const char *s, size_t size) {
        char *copy = block_new(p, size + 1);

        if (copy)
                memcpy(copy, s, size);
        return copy;
}

static bool is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80);
}

static bool looking_at(const Parser *p, const char *what) {
        size_t n = strlen(what);

        return p->end - p->pos >= n && memcmp(p->text + p->pos, what, n) == 0;
}

static char peek(const Parser *p) {
        return p->pos < p->end ? p->text[p->pos] : 0;
}

static void skip_space(Parser *p) {
        while (p->pos < p->end && is_space(p->text[p->pos]))
                p->pos++;
}

/* The word at the parser, which is passed; empty where there is none. */
static size_t take_word(Parser *p, const char **ret) {
        size_t start = p->pos;

        while (p->pos < p->end && is_word(p->text[p->pos]))
                p->pos++;
        *ret = p->text + start;
        return p->pos - start;
}

static bool word_is(const char *word, size_t n, const char *wanted) {
        return strlen(wanted) == n && memcmp(word, wanted, n) == 0;
}

/* Where an action may end: "}}", or white space and "-}}". Passed when it is there. */
static bool at_close(Parser *p) {
        if (looking_at(p, "-}}") && p->pos > 0 && is_space(p->text[p->pos - 1])) {
                p->pos += 3;
                p->trim = true;
                return true;
        }
        if (looking_at(p, "}}")) {
                p->pos += 2;
                p->trim = false;
                return true;
        }
        return false;
}

static int expect_close(Parser *p, const char *what) {
        skip_space(p);
        if (at_close(p))
                return 0;
        if (p->pos >= p->end)
                return fail(p, "unclosed action");
        return fail(p, "unexpected '%c' in %s", p->text[p->pos], what);
}

static int take_constant(Parser *p, Operand *operand, json_t *constant) {
        if (!constant || json_array_append_new(p->template->constants, constant) < 0)
                return error_oom(p->reterr);
        operand->type = OPERAND_CONSTANT;
        operand->constant = constant;
        return 0;
}

/* The escape after a backslash, as in Go's string literals. Returns the bytes written (at most 4) or a negative errno. */
static int take_escape(Parser *p, char *to) {
        static const char letters[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
        static const struct {
                char letter;
                unsigned digits;
        } hex[] = { { 'x', 2 }, { 'u', 4 }, { 'U', 8 } };
        char c = peek(p);
        const char *at = c ? strchr(letters, c) : NULL;
        unsigned digits = c >= '0' && c <= '7' ? 3 : 0, base = 8;
        unsigned long value = 0;

        if (at) {
                p->pos++;
                to[0] = values[at - letters];
                return 1;
        }
        for (size_t i = 0; i < ELEMENTSOF(hex); i++)
                if (c == hex[i].letter) {
                        digits = hex[i].digits;
                        base = 16;
                        p->pos++;
                }
        if (digits == 0)
                return fail(p, "unknown escape in a quoted string");
        for (unsigned i = 0; i < digits; i++, p->pos++) {
                static const char all[] = "0123456789abcdef0123456789ABCDEF";
                char digit = peek(p);
                const char *d = digit ? strchr(all, digit) : NULL;
                unsigned long v = d ? (unsigned long) (d - all) % 16 : 16;

                if (v >= base)
                        return fail(p, "incomplete escape in a quoted string");
                value = value * base + v;
        }
        if (value == 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) || (digits == 3 && value > 255))
                return fail(p, "a quoted string cannot hold character %lu", value);
        if (digits <= 3 && value >= 0x80)
                return fail(p, "a quoted string cannot hold byte %lu: write it as \\u%04lx", value, value);
        return (int) str_put_utf8(to, value);
}

static int take_string(Parser *p, Operand *operand) {
        char quote = p->text[p->pos++];
        char *s = block_new(p, p->end - p->pos + 1);
        size_t n = 0;

        if (!s)
                return error_oom(p->reterr);
        for (;;) {
                if (p->pos >= p->end || (quote != '`' && p->text[p->pos] == '\n'))
                        return fail(p, quote == '\'' ? "unterminated character constant" : "unterminated quoted string");
                char c = p->text[p->pos++];

                if (c == quote)
                        break;
                if (c == '\\' && quote != '`') {
                        int r = take_escape(p, s + n);
                        if (r < 0)
                                return r;
                        n += (size_t) r;
                } else
                        s[n++] = c;
        }
        if (quote == '\'') /* a rune is a number in Go */
                return n == 1 ? take_constant(p, operand, json_integer((unsigned char) s[0]))
                              : fail(p, "a character constant here is one ASCII character");
        return take_constant(p, operand, json_stringn_nocheck(s, n));
}

static int take_number(Parser *p, Operand *operand) {
        char word[64];
        size_t n = 0;
        char *after;

        while (p->pos < p->end && (is_word(peek(p)) || (peek(p) && strchr("+-.", peek(p)))) && n < sizeof(word) - 1)
                word[n++] = p->text[p->pos++];
        word[n] = 0;
        errno = 0;
        long long integer = strtoll(word, &after, 0);
        if (!*after && errno == 0)
                return take_constant(p, operand, json_integer(integer));
        errno = 0;
        double real = strtod(word, &after);
        if (*after || errno != 0 || real - real != 0)
                return fail(p, "bad number '%s'", word);
        return take_constant(p, operand, json_real(real));
}

/* Fields right behind an operand: .A.B */
static int take_fields(Parser *p, Operand *operand) {
        const char *fields[TEMPLATE_DEPTH_LIMIT];
        size_t n = 0;

        while (peek(p) == '.') {
                const char *word;

                p->pos++;
                size_t length = take_word(p, &word);
                if (length == 0)
                        return fail(p, "a field's name is missing after '.'");
                if (n >= ELEMENTSOF(fields))
                        return fail(p, "more than %d fields in a row", TEMPLATE_DEPTH_LIMIT);
                char *field = text_new(p, word, length);
                if (!field || json_object_set_new_nocheck(p->template->fields, field, json_true()) < 0)
                        return error_oom(p->reterr);
                fields[n++] = field;
        }
        if (n == 0)
                return 0;
        operand->fields = block_new(p, n * sizeof(fields[0]));
        if (!operand->fields)
                return error_oom(p->reterr);
        memcpy(operand->fields, fields, n * sizeof(fields[0]));
        operand->n_fields = n;
        return 0;
}

static int take_variable(Parser *p, Operand *operand) {
        const char *word;

        p->pos++;
        size_t n = take_word(p, &word);
        operand->type = OPERAND_VARIABLE;
        operand->name = text_new(p, word, n);
        if (!operand->name)
                return error_oom(p->reterr);
        if (n == 0)
                return take_fields(p, operand);
        for (size_t i = p->n_variables; i-- > 0;)
                if (strcmp(p->variables[i], operand->name) == 0)
                        return take_fields(p, operand);
        return fail(p, "undefined variable '$%s'", operand->name);
}

static int take_identifier(Parser *p, Operand *operand) {
        const char *word;
        size_t n = take_word(p, &word);

        if (word_is(word, n, "true") || word_is(word, n, "false"))
                return take_constant(p, operand, json_boolean(*word == 't'));
        if (word_is(word, n, "nil")) {
                operand->type = OPERAND_NIL;
                return 0;
        }
        operand->type = OPERAND_FUNCTION;
        operand->name = text_new(p, word, n);
        if (!operand->name)
                return error_oom(p->reterr);
        operand->function = template_function_find(word, n);
        return operand->function ? 0 : fail(p, "function '%s' not defined", operand->name);
}

/* One operand; *ret stays NULL where the pipeline's command ends. */
static int parse_operand(Parser *p, Operand **ret) {
        Operand *operand = block_new(p, sizeof(Operand));
        char c = peek(p), following = p->pos + 1 < p->end ? p->text[p->pos + 1] : 0;
        int r;

        if (!operand)
                return error_oom(p->reterr);
        if (c == '.' && !(following >= '0' && following <= '9')) {
                operand->type = OPERAND_DOT;
                if (is_word(following))
                        r = take_fields(p, operand);
                else {
                        p->pos++;
                        r = 0;
                }
        } else if (c == '$')
                r = take_variable(p, operand);
        else if (c == '"' || c == '`' || c == '\'')
                r = take_string(p, operand);
        else if ((c >= '0' && c <= '9') || c == '.' || ((c == '-' || c == '+') && following >= '0' && following <= '9'))
                r = take_number(p, operand);
        else if (is_word(c))
                r = take_identifier(p, operand);
        else if (c == '(') {
                p->pos++;
                operand->type = OPERAND_PIPE;
                r = parse_pipe(p, ")", &operand->pipe);
                if (r >= 0)
                        r = take_fields(p, operand);
        } else
                return 0;
        if (r < 0)
                return r;
        *ret = operand;
        return 0;
}

static int parse_command(Parser *p, Command **ret) {
        Command *command = block_new(p, sizeof(Command));
        Operand **end;

        if (!command)
                return error_oom(p->reterr);
        end = &command->operands;
        for (;;) {
                size_t before = p->pos;

                skip_space(p);
                if (looking_at(p, "-}}") && p->pos > before)
                        break;
                int r = parse_operand(p, end);
                if (r < 0)
                        return r;
                if (!*end)
                        break;
                end = &(*end)->next;
                command->n_operands++;
                if (p->pos < p->end && !is_space(peek(p)) && !strchr("|)}", peek(p)))
                        return fail(p, "unexpected '%c' behind an operand", peek(p));
        }
        if (command->n_operands == 0)
                return fail(p, p->pos >= p->end ? "unclosed action" : "missing value");
        if (command->operands->type == OPERAND_NIL)
                return fail(p, "nil is not a command");
        *ret = command;
        return 0;
}

/* `$a, $b :=` or `$a =` before a pipeline, if it is there. */
static int parse_declaration(Parser *p, Pipe *pipe) {
        size_t start = p->pos;
        const char *names[2], *word;
        size_t n = 0, lengths[2];

        while (n < 2 && peek(p) == '$') {
                p->pos++;
                lengths[n] = take_word(p, &word);
                names[n++] = word;
                skip_space(p);
                if (peek(p) != ',')
                        break;
                p->pos++;
                skip_space(p);
        }
        bool declares = looking_at(p, ":=");
        if (n == 0 || (!declares && peek(p) != '=')) {
                p->pos = start;
                return 0;
        }
        p->pos += declares ? 2 : 1;
        pipe->assigns = !declares;
        for (size_t i = 0; i < n; i++) {
                if (lengths[i] == 0)
                        return fail(p, "a variable's name is missing after '$'");
                pipe->variables[i] = text_new(p, names[i], lengths[i]);
                if (!pipe->variables[i])
                        return error_oom(p->reterr);
        }
        pipe->n_variables = n;
        return 0;
}

/* The names are known only after the pipeline that gives them their values. */
static int declare_variables(Parser *p, const Pipe *pipe) {
        for (size_t i = 0; i < pipe->n_variables; i++) {
                if (pipe->assigns) {
                        size_t k = p->n_variables;

                        while (k > 0 && strcmp(p->variables[k - 1], pipe->variables[i]) != 0)
                                k--;
                        if (k == 0)
                                return fail(p, "undefined variable '$%s'", pipe->variables[i]);
                        continue;
                }
                if (p->n_variables >= TEMPLATE_VARIABLE_LIMIT)
                        return fail(p, "more than %d variables", TEMPLATE_VARIABLE_LIMIT);
                p->variables[p->n_variables++] = pipe->variables[i];
        }
        return 0;
}

/* Commands between "|", up to `close` ("}}" stands for every way in which an action ends), which is passed. */
static int parse_pipe(Parser *p, const char *close, Pipe **ret) {
        Pipe *pipe = block_new(p, sizeof(Pipe));
        Command **end;
        int r;

        if (!pipe)
                return error_oom(p->reterr);
        if (++p->depth > TEMPLATE_DEPTH_LIMIT)
                return fail(p, "nested deeper than %d", TEMPLATE_DEPTH_LIMIT);
        skip_space(p);
        if (*close == '}') {
                r = parse_declaration(p, pipe);
                if (r < 0)
                        return r;
        }
        end = &pipe->commands;
        for (;;) {
                r = parse_command(p, end);
                if (r < 0)
                        return r;
                if (end != &pipe->commands && (*end)->operands->type == OPERAND_CONSTANT)
                        return fail(p, "a constant cannot take the value before '|'");
                end = &(*end)->next;
                if (peek(p) != '|')
                        break;
                p->pos++;
        }
        if (*close == '}')
                r = expect_close(p, "action");
        else if (peek(p) == *close) {
                p->pos++;
                r = 0;
        } else
                r = fail(p, "unclosed left parenthesis");
        if (r < 0)
                return r;
        r = declare_variables(p, pipe);
        if (r < 0)
                return r;
        p->depth--;
        *ret = pipe;
        return 0;
}

/* The rest of a block after its keyword: pipeline, list, perhaps else, end. */
static int parse_block(Parser *p, NodeType type, Node *node) {
        size_t scope = p->n_variables, inner;
        Ending ending;
        int r;

        if (++p->depth > TEMPLATE_DEPTH_LIMIT)
                return fail(p, "nested deeper than %d", TEMPLATE_DEPTH_LIMIT);
        node->type = type;
        r = parse_pipe(p, "}}", &node->pipe);
        if (r < 0)
                return r;
        if (type != NODE_RANGE && node->pipe->n_variables > 1)
                return fail(p, "only range sets two variables");
        inner = p->n_variables;
        p->n_loops += type == NODE_RANGE;
        r = parse_list(p, &node->list, &ending);
        p->n_loops -= type == NODE_RANGE;
        p->n_variables = inner;
        if (r >= 0 && (ending == ENDING_ELSE_IF || ending == ENDING_ELSE_WITH)) {
                if (type == NODE_RANGE || (ending == ENDING_ELSE_WITH) != (type == NODE_WITH))
                        return fail(p, "else of another kind of block");
                node->otherwise = block_new(p, sizeof(Node));
                if (!node->otherwise)
                        return error_oom(p->reterr);
                r = parse_block(p, type, node->otherwise); /* its end is ours */
        } else if (r >= 0 && ending == ENDING_ELSE) {
                r = parse_list(p, &node->otherwise, &ending);
                if (r >= 0 && ending != ENDING_END && ending != ENDING_EOF)
                        return fail(p, "expected end, found else");
        }
        if (r < 0)
                return r;
        if (ending == ENDING_EOF)
                return fail(p, "unexpected end of the template: {{end}} is missing");
        p->n_variables = scope;
        p->depth--;
        return 0;
}

static int parse_else(Parser *p, Ending *ret) {
        static const struct {
                const char *word;
                Ending ending;
        } kinds[] = { { "if", ENDING_ELSE_IF }, { "with", ENDING_ELSE_WITH } };
        const char *word;

        skip_space(p);
        size_t n = take_word(p, &word);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (word_is(word, n, kinds[i].word)) {
                        *ret = kinds[i].ending;
                        return 0;
                }
        p->pos -= n;
        *ret = ENDING_ELSE;
        return expect_close(p, "else");
}

static int parse_keyword(Parser *p, const char *word, size_t n, Node *node, Ending *ret_ending) {
        static const struct {
                const char *word;
                NodeType type;
        } blocks[] = { { "if", NODE_IF }, { "range", NODE_RANGE }, { "with", NODE_WITH } },
          jumps[] = { { "break", NODE_BREAK }, { "continue", NODE_CONTINUE } };
        static const char *const refused[] = { "define", "template", "block" };

        for (size_t i = 0; i < ELEMENTSOF(blocks); i++)
                if (word_is(word, n, blocks[i].word))
                        return parse_block(p, blocks[i].type, node);
        for (size_t i = 0; i < ELEMENTSOF(jumps); i++)
                if (word_is(word, n, jumps[i].word)) {
                        node->type = jumps[i].type;
                        return p->n_loops == 0 ? fail(p, "{{%s}} outside {{range}}", jumps[i].word)
                                               : expect_close(p, jumps[i].word);
                }
        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                if (word_is(word, n, refused[i]))
                        return fail(p, "{{%s}} is not supported", refused[i]);
        if (word_is(word, n, "end")) {
                *ret_ending = ENDING_END;
                return expect_close(p, "end");
        }
        if (word_is(word, n, "else"))
                return parse_else(p, ret_ending);
        p->pos -= n;
        node->type = NODE_ACTION;
        return parse_pipe(p, "}}", &node->pipe);
}

static int parse_comment(Parser *p) {
        const char *end = memmem(p->text + p->pos, p->end - p->pos, "*/", 2);

        if (!end)
                return fail(p, "unclosed comment");
        p->pos = (size_t) (end - p->text) + 2;
        if (looking_at(p, "}}") || looking_at(p, " -}}"))
                return expect_close(p, "comment");
        return fail(p, "comment ends before closing delimiter");
}

/* An action, from behind its "{{" (and "- "): a node, a comment (node->type stays text), or the end of the list. */
static int parse_action(Parser *p, Node *node, Ending *ret_ending) {
        const char *word;

        if (looking_at(p, "/*"))
                return parse_comment(p);
        skip_space(p);
        size_t n = take_word(p, &word);
        return parse_keyword(p, word, n, node, ret_ending);
}

/* Literal text: white space trimmed towards actions that ask for it, `\t` and `\n` replaced, columns of a table made. */
static int take_text(Parser *p, size_t size, bool trim_right, Node *node) {
        const char *s = p->text + p->pos;
        char *to;

        p->pos += size;
        while (p->trim && size > 0 && is_space(*s)) {
                s++;
                size--;
        }
        while (trim_right && size > 0 && is_space(s[size - 1]))
                size--;
        node->type = NODE_TEXT;
        node->text = to = text_new(p, s, size);
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

static int parse_list(Parser *p, Node **ret, Ending *ret_ending) {
        Node **end = ret;

        for (;;) {
                const char *open = memmem(p->text + p->pos, p->end - p->pos, "{{", 2);
                size_t until = open ? (size_t) (open - p->text) : p->end;
                bool trims = open && until + 3 < p->end && open[2] == '-' && is_space(open[3]);
                Node *text = block_new(p, sizeof(Node)), *node = block_new(p, sizeof(Node));
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

        if (!template || !(template->source = strndup(text, strlen(text) - str_has_suffix(text, "\n"))) || !(template->constants = json_array()) ||
            !(template->fields = json_object()))
                return error_oom(reterr);
        Parser p = { .template = template, .text = text, .end = strlen(text), .flags = flags, .reterr = reterr };
        if (p.end > TEMPLATE_SIZE_LIMIT)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot parse a template of %zu bytes: at most %d", p.end,
                                 TEMPLATE_SIZE_LIMIT);
        int r = parse_list(&p, &template->root, &ending);
        if (r < 0)
                return r;
        if (ending != ENDING_EOF)
                return fail(&p, "unexpected {{%s}}", ending == ENDING_END ? "end" : "else");
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
