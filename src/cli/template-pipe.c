/* SPDX-License-Identifier: Apache-2.0 */
/* Parses what stands inside an action: operands, commands and pipelines, by recursive descent over the bytes. */
#include "base/str.h"
#include "cli/template-scan.h"

static int take_constant(TemplateParser *p, Operand *operand, json_t *constant) {
        if (!constant || json_array_append_new(p->template->constants, constant) < 0)
                return error_oom(p->reterr);
        operand->type = OPERAND_CONSTANT;
        operand->constant = constant;
        return 0;
}

/* The escape after a backslash, as in Go's string literals. Returns the bytes written (at most 4) or a negative errno. */
static int take_escape(TemplateParser *p, char *to) {
        static const char letters[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
        static const struct {
                char letter;
                unsigned digits;
        } hex[] = { { 'x', 2 }, { 'u', 4 }, { 'U', 8 } };
        char c = scan_peek(p);
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
                return scan_fail(p, "unknown escape in a quoted string");
        for (unsigned i = 0; i < digits; i++, p->pos++) {
                static const char all[] = "0123456789abcdef0123456789ABCDEF";
                char digit = scan_peek(p);
                const char *d = digit ? strchr(all, digit) : NULL;
                unsigned long v = d ? (unsigned long) (d - all) % 16 : 16;

                if (v >= base)
                        return scan_fail(p, "incomplete escape in a quoted string");
                value = value * base + v;
        }
        if (value == 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) || (digits == 3 && value > 255))
                return scan_fail(p, "a quoted string cannot hold character %lu", value);
        if (digits <= 3 && value >= 0x80)
                return scan_fail(p, "a quoted string cannot hold byte %lu: write it as \\u%04lx", value, value);
        return (int) str_put_utf8(to, value);
}

static int take_string(TemplateParser *p, Operand *operand) {
        char quote = p->text[p->pos++];
        char *s = scan_new(p, p->end - p->pos + 1);
        size_t n = 0;

        if (!s)
                return error_oom(p->reterr);
        for (;;) {
                if (p->pos >= p->end || (quote != '`' && p->text[p->pos] == '\n'))
                        return scan_fail(p, quote == '\'' ? "unterminated character constant" : "unterminated quoted string");
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
                              : scan_fail(p, "a character constant here is one ASCII character");
        return take_constant(p, operand, json_stringn_nocheck(s, n));
}

static int take_number(TemplateParser *p, Operand *operand) {
        char word[64];
        size_t n = 0;
        char *after;

        while (p->pos < p->end && (scan_is_word(scan_peek(p)) || (scan_peek(p) && strchr("+-.", scan_peek(p)))) && n < sizeof(word) - 1)
                word[n++] = p->text[p->pos++];
        word[n] = 0;
        errno = 0;
        long long integer = strtoll(word, &after, 0);
        if (!*after && errno == 0)
                return take_constant(p, operand, json_integer(integer));
        errno = 0;
        double real = strtod(word, &after);
        if (*after || errno != 0 || real - real != 0)
                return scan_fail(p, "bad number '%s'", word);
        return take_constant(p, operand, json_real(real));
}

/* Fields right behind an operand: .A.B */
static int take_fields(TemplateParser *p, Operand *operand) {
        const char *fields[TEMPLATE_DEPTH_LIMIT];
        size_t n = 0;

        while (scan_peek(p) == '.') {
                const char *word;

                p->pos++;
                size_t length = scan_word(p, &word);
                if (length == 0)
                        return scan_fail(p, "a field's name is missing after '.'");
                if (n >= ELEMENTSOF(fields))
                        return scan_fail(p, "more than %d fields in a row", TEMPLATE_DEPTH_LIMIT);
                char *field = scan_new_text(p, word, length);
                if (!field || json_object_set_new_nocheck(p->template->fields, field, json_true()) < 0)
                        return error_oom(p->reterr);
                fields[n++] = field;
        }
        if (n == 0)
                return 0;
        operand->fields = scan_new(p, n * sizeof(fields[0]));
        if (!operand->fields)
                return error_oom(p->reterr);
        memcpy(operand->fields, fields, n * sizeof(fields[0]));
        operand->n_fields = n;
        return 0;
}

static int take_variable(TemplateParser *p, Operand *operand) {
        const char *word;

        p->pos++;
        size_t n = scan_word(p, &word);
        operand->type = OPERAND_VARIABLE;
        operand->name = scan_new_text(p, word, n);
        if (!operand->name)
                return error_oom(p->reterr);
        if (n == 0)
                return take_fields(p, operand);
        for (size_t i = p->n_variables; i-- > 0;)
                if (strcmp(p->variables[i], operand->name) == 0)
                        return take_fields(p, operand);
        return scan_fail(p, "undefined variable '$%s'", operand->name);
}

static int take_identifier(TemplateParser *p, Operand *operand) {
        const char *word;
        size_t n = scan_word(p, &word);

        if (scan_word_is(word, n, "true") || scan_word_is(word, n, "false"))
                return take_constant(p, operand, json_boolean(*word == 't'));
        if (scan_word_is(word, n, "nil")) {
                operand->type = OPERAND_NIL;
                return 0;
        }
        operand->type = OPERAND_FUNCTION;
        operand->name = scan_new_text(p, word, n);
        if (!operand->name)
                return error_oom(p->reterr);
        operand->function = template_function_find(word, n);
        return operand->function ? 0 : scan_fail(p, "function '%s' not defined", operand->name);
}

/* One operand; *ret stays NULL where the pipeline's command ends. */
static int parse_operand(TemplateParser *p, Operand **ret) {
        Operand *operand = scan_new(p, sizeof(Operand));
        char c = scan_peek(p), following = p->pos + 1 < p->end ? p->text[p->pos + 1] : 0;
        int r;

        if (!operand)
                return error_oom(p->reterr);
        if (c == '.' && !(following >= '0' && following <= '9')) {
                operand->type = OPERAND_DOT;
                if (scan_is_word(following))
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
        else if (scan_is_word(c))
                r = take_identifier(p, operand);
        else if (c == '(') {
                p->pos++;
                operand->type = OPERAND_PIPE;
                r = template_parse_pipe(p, ")", &operand->pipe);
                if (r >= 0)
                        r = take_fields(p, operand);
        } else
                return 0;
        if (r < 0)
                return r;
        *ret = operand;
        return 0;
}

static int parse_command(TemplateParser *p, Command **ret) {
        Command *command = scan_new(p, sizeof(Command));
        Operand **end;

        if (!command)
                return error_oom(p->reterr);
        end = &command->operands;
        for (;;) {
                size_t before = p->pos;

                scan_skip_space(p);
                if (scan_is_at(p, "-}}") && p->pos > before)
                        break;
                int r = parse_operand(p, end);
                if (r < 0)
                        return r;
                if (!*end)
                        break;
                end = &(*end)->next;
                command->n_operands++;
                if (p->pos < p->end && !scan_is_space(scan_peek(p)) && !strchr("|)}", scan_peek(p)))
                        return scan_fail(p, "unexpected '%c' behind an operand", scan_peek(p));
        }
        if (command->n_operands == 0)
                return scan_fail(p, p->pos >= p->end ? "unclosed action" : "missing value");
        if (command->operands->type == OPERAND_NIL)
                return scan_fail(p, "nil is not a command");
        *ret = command;
        return 0;
}

/* `$a, $b :=` or `$a =` before a pipeline, if it is there. */
static int parse_declaration(TemplateParser *p, Pipe *pipe) {
        size_t start = p->pos;
        const char *names[2], *word;
        size_t n = 0, lengths[2];

        while (n < 2 && scan_peek(p) == '$') {
                p->pos++;
                lengths[n] = scan_word(p, &word);
                names[n++] = word;
                scan_skip_space(p);
                if (scan_peek(p) != ',')
                        break;
                p->pos++;
                scan_skip_space(p);
        }
        bool declares = scan_is_at(p, ":=");
        if (n == 0 || (!declares && scan_peek(p) != '=')) {
                p->pos = start;
                return 0;
        }
        p->pos += declares ? 2 : 1;
        pipe->assigns = !declares;
        for (size_t i = 0; i < n; i++) {
                if (lengths[i] == 0)
                        return scan_fail(p, "a variable's name is missing after '$'");
                pipe->variables[i] = scan_new_text(p, names[i], lengths[i]);
                if (!pipe->variables[i])
                        return error_oom(p->reterr);
        }
        pipe->n_variables = n;
        return 0;
}

/* The names are known only after the pipeline that gives them their values. */
static int declare_variables(TemplateParser *p, const Pipe *pipe) {
        for (size_t i = 0; i < pipe->n_variables; i++) {
                if (pipe->assigns) {
                        size_t k = p->n_variables;

                        while (k > 0 && strcmp(p->variables[k - 1], pipe->variables[i]) != 0)
                                k--;
                        if (k == 0)
                                return scan_fail(p, "undefined variable '$%s'", pipe->variables[i]);
                        continue;
                }
                if (p->n_variables >= TEMPLATE_VARIABLE_LIMIT)
                        return scan_fail(p, "more than %d variables", TEMPLATE_VARIABLE_LIMIT);
                p->variables[p->n_variables++] = pipe->variables[i];
        }
        return 0;
}

int template_parse_pipe(TemplateParser *p, const char *close, Pipe **ret) {
        Pipe *pipe = scan_new(p, sizeof(Pipe));
        Command **end;
        int r;

        if (!pipe)
                return error_oom(p->reterr);
        if (++p->depth > TEMPLATE_DEPTH_LIMIT)
                return scan_fail(p, "nested deeper than %d", TEMPLATE_DEPTH_LIMIT);
        scan_skip_space(p);
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
                        return scan_fail(p, "a constant cannot take the value before '|'");
                end = &(*end)->next;
                if (scan_peek(p) != '|')
                        break;
                p->pos++;
        }
        if (*close == '}')
                r = scan_close(p, "action");
        else if (scan_peek(p) == *close) {
                p->pos++;
                r = 0;
        } else
                r = scan_fail(p, "unclosed left parenthesis");
        if (r < 0)
                return r;
        r = declare_variables(p, pipe);
        if (r < 0)
                return r;
        p->depth--;
        *ret = pipe;
        return 0;
}
