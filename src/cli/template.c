/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates templates over JSON, with Go's rules for truth, missing fields and variables. */
#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/template-node.h"

typedef struct Variable {
        const char *name; /* borrowed from the template */
        Value value;
} Variable;

struct Evaluator {
        const Template *template;
        const TemplateTypes *types;
        TemplateEscape escape;
        FILE *out;
        Error *reterr;
        size_t steps, n_variables;
        Variable variables[TEMPLATE_VARIABLE_LIMIT];
};

/* What a list of nodes ended with. */
enum { FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE };

static int evaluate_pipe(Evaluator *e, const Pipe *pipe, const Value *dot, Value *ret);
static int execute_list(Evaluator *e, const Node *list, const Value *dot);

int template_fail(Evaluator *e, const char *format, ...) {
        _cleanup_free_ char *reason = NULL;
        va_list ap;

        va_start(ap, format);
        int r = vasprintf(&reason, format, ap);
        va_end(ap);
        if (r < 0)
                return error_oom(e->reterr);
        return error_set(e->reterr, -EINVAL, ERROR_INVALID, "cannot evaluate template '%s': %s", e->template->source, reason);
}

const TemplateTypes *template_types(const Evaluator *e) {
        return e->types;
}

static int charge(Evaluator *e, size_t steps) {
        e->steps += steps;
        if (e->steps > TEMPLATE_STEP_LIMIT)
                return template_fail(e, "more than %d steps", TEMPLATE_STEP_LIMIT);
        return 0;
}

int template_check_size(Evaluator *e, size_t size) {
        return size > TEMPLATE_TEXT_LIMIT ? template_fail(e, "a string of more than %d bytes", TEMPLATE_TEXT_LIMIT) : 0;
}

int template_give_text(Evaluator *e, const char *text, size_t size, Value *ret) {
        int r = template_check_size(e, size);

        if (r >= 0)
                r = charge(e, size / 16);
        if (r < 0)
                return r;
        *ret = (Value){ .json = json_stringn_nocheck(text, size), .kind = VALUE_DATA };
        return ret->json ? 0 : -ENOMEM;
}

static Value value_copy(const Value *v) {
        return (Value){ .json = json_incref(v->json), .kind = v->kind };
}

static bool listed(const char *const *list, const char *name) {
        for (; list && *list; list++)
                if (strcmp(*list, name) == 0)
                        return true;
        return false;
}

static const char *pair_lookup(const char *const *pairs, const char *name) {
        for (; pairs && *pairs; pairs += 2)
                if (strcmp(pairs[0], name) == 0)
                        return pairs[1];
        return NULL;
}

Value template_element(const json_t *json) {
        return (Value){ .json = json_incref((json_t *) json), .kind = json_is_object(json) ? VALUE_STRUCT : VALUE_DATA };
}

Value template_child(const TemplateTypes *types, const json_t *json, const char *name) {
        Value v = template_element(json);

        if ((v.kind == VALUE_STRUCT || json_is_null(json)) && listed(types->maps, name))
                v.kind = VALUE_MAP;
        else if (json_is_string(json) && listed(types->times, name))
                v.kind = VALUE_TIME;
        return v;
}

bool template_truth(const Value *v) {
        if (!v->json || v->kind == VALUE_ZERO)
                return false;
        switch (json_typeof(v->json)) {
        case JSON_OBJECT:
                return v->kind == VALUE_STRUCT || json_object_size(v->json) > 0;
        case JSON_ARRAY:
                return json_array_size(v->json) > 0;
        case JSON_STRING:
                return json_string_length(v->json) > 0;
        case JSON_INTEGER:
                return json_integer_value(v->json) != 0;
        case JSON_REAL:
                return json_real_value(v->json) < 0 || json_real_value(v->json) > 0;
        default:
                return json_is_true(v->json);
        }
}

const char *template_type_name(const Value *v) {
        if (!v->json)
                return "nil";
        switch (v->kind) {
        case VALUE_STRUCT:
                return "struct";
        case VALUE_MAP:
                return "map";
        case VALUE_TIME:
                return "time";
        default:
                break;
        }
        switch (json_typeof(v->json)) {
        case JSON_ARRAY:
                return "list";
        case JSON_INTEGER:
                return "int";
        case JSON_REAL:
                return "float64";
        case JSON_TRUE:
        case JSON_FALSE:
                return "bool";
        case JSON_NULL:
                return "nil";
        default:
                return "string";
        }
}

/* Replaces *v, a struct, by its field, which may be left out. */
static int struct_field(Evaluator *e, Value *v, const char *name) {
        const char *other = json_object_get(v->json, name) ? NULL : pair_lookup(e->types->aliases, name);
        _cleanup_json_ json_t *found = json_incref(json_object_get(v->json, other ?: name));
        const char *absent = found ? NULL : pair_lookup(e->types->absent, other ?: name);

        if (absent)
                found = json_loads(absent, JSON_DECODE_ANY, NULL);
        if (!found)
                return absent ? error_oom(e->reterr) : template_fail(e, "can't evaluate field %s: there is no such field", name);
        Value child = template_child(e->types, found, other ?: name);
        value_done(v);
        *v = child;
        return 0;
}

static int time_field(Evaluator *e, Value *v, const char *name) {
        Value child = VALUE_NULL;
        int r = template_time_field(e, v, name, &child);

        value_done(v);
        *v = child;
        return r == -ENOMEM ? error_oom(e->reterr) : r;
}

/* Replaces *v by its field. */
static int value_field(Evaluator *e, Value *v, const char *name) {
        if (v->kind == VALUE_MAP && json_is_null(v->json)) {
                value_done(v); /* a map that was never made has no keys */
                return 0;
        }
        if (!v->json || json_is_null(v->json))
                return template_fail(e, "nil value evaluating field %s", name);
        if (v->kind == VALUE_TIME)
                return time_field(e, v, name);
        if (!json_is_object(v->json))
                return template_fail(e, "can't evaluate field %s in type %s", name, template_type_name(v));
        if (v->kind == VALUE_STRUCT)
                return struct_field(e, v, name);
        const json_t *found = json_object_get(v->json, name);
        Value child = found ? template_element(found) : VALUE_NULL;
        value_done(v);
        *v = child;
        return 0;
}

static int value_fields(Evaluator *e, Value *v, const Operand *operand, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = value_field(e, v, operand->fields[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static Value *variable_find(Evaluator *e, const char *name) {
        for (size_t i = e->n_variables; i-- > 0;)
                if (strcmp(e->variables[i].name, name) == 0)
                        return &e->variables[i].value;
        return NULL;
}

/* What a field chain, a constant or parentheses begin with, before the fields. */
static int operand_base(Evaluator *e, const Operand *operand, const Value *dot, Value *ret) {
        const Value *variable;

        switch (operand->type) {
        case OPERAND_DOT:
                *ret = value_copy(dot);
                return 0;
        case OPERAND_VARIABLE:
                variable = variable_find(e, operand->name);
                if (!variable)
                        return template_fail(e, "undefined variable '$%s'", operand->name);
                *ret = value_copy(variable);
                return 0;
        case OPERAND_CONSTANT:
                *ret = (Value){ .json = json_incref(operand->constant), .kind = VALUE_DATA };
                return 0;
        case OPERAND_NIL:
                *ret = (Value){ .json = json_null(), .kind = VALUE_DATA };
                return 0;
        case OPERAND_PIPE:
                return evaluate_pipe(e, operand->pipe, dot, ret);
        default:
                return operand->function->min > 0
                               ? template_fail(e, "wrong number of args for %s: want %zu got 0", operand->name,
                                               operand->function->min)
                               : operand->function->call(e, NULL, 0, ret);
        }
}

static int evaluate_operand(Evaluator *e, const Operand *operand, const Value *dot, Value *ret) {
        _cleanup_value_ Value v = VALUE_NULL;

        int r = charge(e, 1);
        if (r < 0)
                return r;
        r = operand_base(e, operand, dot, &v);
        if (r < 0)
                return r;
        r = value_fields(e, &v, operand, operand->n_fields);
        if (r < 0)
                return r;
        *ret = v;
        v = VALUE_NULL;
        return 0;
}

/* `and` and `or`: the first argument that decides, the others unevaluated. */
static int evaluate_short_circuit(Evaluator *e, const Command *command, const Value *dot, const Value *final, Value *ret) {
        bool wanted = strcmp(command->operands->name, "or") == 0;
        _cleanup_value_ Value v = VALUE_NULL;

        if (command->n_operands + (final ? 1 : 0) < 2)
                return template_fail(e, "wrong number of args for %s: want at least 1 got 0", command->operands->name);
        for (const Operand *o = command->operands->next; o; o = o->next) {
                value_done(&v);
                int r = evaluate_operand(e, o, dot, &v);
                if (r < 0)
                        return r;
                if (template_truth(&v) == wanted)
                        break;
                if (!o->next && final) {
                        value_done(&v);
                        v = value_copy(final);
                }
        }
        if (command->n_operands == 1)
                v = value_copy(final);
        *ret = v;
        v = VALUE_NULL;
        return 0;
}

static int evaluate_call(Evaluator *e, const Command *command, const Value *dot, const Value *final, Value *ret) {
        const TemplateFunction *function = command->operands->function;
        size_t n = command->n_operands - 1 + (final ? 1 : 0), i = 0;
        Value *args;
        int r = 0;

        if (!function->call)
                return evaluate_short_circuit(e, command, dot, final, ret);
        if (n < function->min || n > function->max)
                return template_fail(e, "wrong number of args for %s: want %s%zu got %zu", function->name,
                                     function->max > function->min ? "at least " : "", function->min, n);
        args = calloc(n + 1, sizeof(Value));
        if (!args)
                return error_oom(e->reterr);
        for (const Operand *o = command->operands->next; o && r >= 0; o = o->next)
                r = evaluate_operand(e, o, dot, &args[i++]);
        if (final)
                args[n - 1] = value_copy(final);
        if (r >= 0)
                r = function->call(e, args, n, ret);
        for (i = 0; i < n; i++)
                value_done(&args[i]);
        free(args);
        return r == -ENOMEM ? error_oom(e->reterr) : r;
}

/* `.Label "a"`, `.Created.Format "2006"`: the last field is a method that looks its argument up in a map, or a time's. */
static int evaluate_method(Evaluator *e, const Command *command, const Value *dot, const Value *final, Value *ret) {
        const Operand *operand = command->operands, *argument = operand->next;
        const char *method = operand->n_fields > 0 ? operand->fields[operand->n_fields - 1] : NULL;
        const char *map = method ? pair_lookup(e->types->lookups, method) : NULL;
        _cleanup_value_ Value v = VALUE_NULL, key = VALUE_NULL;

        if (!method || command->n_operands + (final ? 1 : 0) != 2)
                return method ? template_fail(e, "%s has arguments but is not a function", method)
                              : template_fail(e, "can't give argument to non-function");
        int r = operand_base(e, operand, dot, &v);
        if (r >= 0)
                r = value_fields(e, &v, operand, operand->n_fields - 1);
        if (r >= 0)
                r = argument ? evaluate_operand(e, argument, dot, &key) : 0;
        if (r < 0)
                return r;
        if (!argument)
                key = value_copy(final);
        if (v.kind == VALUE_TIME && strcmp(method, "Format") == 0) {
                r = template_time_format(e, &v, &key, ret);
                return r == -ENOMEM ? error_oom(e->reterr) : r;
        }
        if (!map)
                return template_fail(e, "%s has arguments but is not a function", method);
        r = value_field(e, &v, map);
        if (r < 0)
                return r;
        if (!json_is_string(key.json))
                return template_fail(e, "%s wants a string", method);
        const json_t *found = json_object_get(v.json, json_string_value(key.json));
        *ret = found ? template_element(found) : (Value){ .json = json_string(""), .kind = VALUE_ZERO };
        return ret->json ? 0 : error_oom(e->reterr);
}

static int evaluate_command(Evaluator *e, const Command *command, const Value *dot, const Value *final, Value *ret) {
        if (command->operands->type == OPERAND_FUNCTION)
                return evaluate_call(e, command, dot, final, ret);
        if (command->n_operands > 1 || final)
                return evaluate_method(e, command, dot, final, ret);
        return evaluate_operand(e, command->operands, dot, ret);
}

static int set_variable(Evaluator *e, const char *name, const Value *v, bool assigns) {
        Value *target = assigns ? variable_find(e, name) : NULL;

        if (target) {
                Value copy = value_copy(v);

                value_done(target);
                *target = copy;
                return 0;
        }
        if (e->n_variables >= TEMPLATE_VARIABLE_LIMIT)
                return template_fail(e, "more than %d variables", TEMPLATE_VARIABLE_LIMIT);
        e->variables[e->n_variables++] = (Variable){ .name = name, .value = value_copy(v) };
        return 0;
}

static void drop_variables(Evaluator *e, size_t n) {
        while (e->n_variables > n)
                value_done(&e->variables[--e->n_variables].value);
}

static int evaluate_pipe(Evaluator *e, const Pipe *pipe, const Value *dot, Value *ret) {
        _cleanup_value_ Value v = VALUE_NULL;

        for (const Command *c = pipe->commands; c; c = c->next) {
                Value next = VALUE_NULL;
                int r = evaluate_command(e, c, dot, c == pipe->commands ? NULL : &v, &next);
                if (r < 0)
                        return r;
                value_done(&v);
                v = next;
        }
        *ret = v;
        v = VALUE_NULL;
        return 0;
}

/* Sets a pipeline's single variable; range sets its own. */
static int evaluate_action(Evaluator *e, const Pipe *pipe, const Value *dot, Value *ret) {
        int r = evaluate_pipe(e, pipe, dot, ret);
        if (r < 0 || pipe->n_variables == 0)
                return r;
        return set_variable(e, pipe->variables[0], ret, pipe->assigns);
}

/* {{"\t"}}: text that the writer of the template put there, as good as literal text. */
static bool is_literal(const Pipe *pipe) {
        return !pipe->commands->next && !pipe->commands->operands->next &&
               pipe->commands->operands->type == OPERAND_CONSTANT;
}

static int print_clean(Evaluator *e, const char *text) {
        _cleanup_free_ char *clean = e->escape == TEMPLATE_ESCAPE_ALL ? str_escape_control(text)
                                                                      : str_escape_control_lines(text);

        if (!clean)
                return error_oom(e->reterr);
        fputs(clean, e->out);
        return 0;
}

static int print_escaped(Evaluator *e, const Value *v) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *memory;

        if (json_is_string(v->json) && v->kind == VALUE_DATA) /* nearly all cells of tables */
                return print_clean(e, json_string_value(v->json));
        memory = open_memstream(&text, &size);
        if (!memory)
                return error_oom(e->reterr);
        int r = template_print(e->types, v, memory);
        if (fclose(memory) != 0 || r < 0)
                return error_oom(e->reterr);
        return print_clean(e, text);
}

static int print_action(Evaluator *e, const Node *node, const Value *dot) {
        _cleanup_value_ Value v = VALUE_NULL;

        int r = evaluate_action(e, node->pipe, dot, &v);
        if (r < 0 || node->pipe->n_variables > 0)
                return r;
        r = charge(e, json_string_length(v.json) / 16);
        if (r < 0)
                return r;
        if (e->escape != TEMPLATE_ESCAPE_NONE && !is_literal(node->pipe))
                return print_escaped(e, &v);
        r = template_print(e->types, &v, e->out);
        return r < 0 ? error_set_errno(e->reterr, r, "cannot print a value") : 0;
}

static int execute_branch(Evaluator *e, const Node *node, const Value *dot) {
        _cleanup_value_ Value v = VALUE_NULL;
        size_t scope = e->n_variables;

        int r = evaluate_action(e, node->pipe, dot, &v);
        if (r < 0)
                return r;
        if (template_truth(&v))
                r = execute_list(e, node->list, node->type == NODE_WITH ? &v : dot);
        else
                r = execute_list(e, node->otherwise, dot);
        drop_variables(e, scope);
        return r;
}

static int execute_item(Evaluator *e, const Node *node, json_t *key, Value *item) {
        const Pipe *pipe = node->pipe;
        size_t scope = e->n_variables;
        Value key_value = { .json = key, .kind = VALUE_DATA };
        int r = charge(e, 1);

        if (r >= 0 && pipe->n_variables == 2)
                r = set_variable(e, pipe->variables[0], &key_value, pipe->assigns);
        if (r >= 0 && pipe->n_variables > 0)
                r = set_variable(e, pipe->variables[pipe->n_variables - 1], item, pipe->assigns);
        if (r >= 0)
                r = execute_list(e, node->list, item);
        drop_variables(e, scope);
        value_done(item);
        json_decref(key);
        return r;
}

static int range_map(Evaluator *e, const Node *node, const Value *map) {
        _cleanup_free_ const char **keys = template_sorted_keys(map->json);
        int r = FLOW_NEXT;

        if (!keys)
                return error_oom(e->reterr);
        for (size_t i = 0; keys[i] && r >= 0 && r != FLOW_BREAK; i++) {
                Value item = template_element(json_object_get(map->json, keys[i]));

                r = execute_item(e, node, json_string_nocheck(keys[i]), &item);
        }
        return r;
}

static int range_list(Evaluator *e, const Node *node, const Value *list) {
        int r = FLOW_NEXT;

        for (size_t i = 0; i < json_array_size(list->json) && r >= 0 && r != FLOW_BREAK; i++) {
                Value item = template_element(json_array_get(list->json, i));

                r = execute_item(e, node, json_integer((json_int_t) i), &item);
        }
        return r;
}

static int execute_range(Evaluator *e, const Node *node, const Value *dot) {
        _cleanup_value_ Value v = VALUE_NULL;

        int r = evaluate_pipe(e, node->pipe, dot, &v);
        if (r < 0)
                return r;
        bool empty = !v.json || v.kind == VALUE_ZERO || json_is_null(v.json);
        if (!empty && !json_is_array(v.json) && v.kind != VALUE_MAP)
                return template_fail(e, "range can't iterate over a %s", template_type_name(&v));
        if (empty || !template_truth(&v))
                return execute_list(e, node->otherwise, dot);
        r = json_is_array(v.json) ? range_list(e, node, &v) : range_map(e, node, &v);
        return r < 0 ? r : FLOW_NEXT;
}

static int execute_node(Evaluator *e, const Node *node, const Value *dot) {
        int r = charge(e, 1);

        if (r < 0)
                return r;
        switch (node->type) {
        case NODE_TEXT:
                fwrite(node->text, 1, node->size, e->out);
                return FLOW_NEXT;
        case NODE_ACTION:
                return print_action(e, node, dot);
        case NODE_RANGE:
                return execute_range(e, node, dot);
        case NODE_BREAK:
                return FLOW_BREAK;
        case NODE_CONTINUE:
                return FLOW_CONTINUE;
        default:
                return execute_branch(e, node, dot);
        }
}

static int execute_list(Evaluator *e, const Node *list, const Value *dot) {
        size_t scope = e->n_variables;
        int r = FLOW_NEXT;

        for (; list && r == FLOW_NEXT; list = list->next)
                r = execute_node(e, list, dot);
        drop_variables(e, scope);
        return r;
}

int template_execute(const Template *template, const json_t *data, const TemplateTypes *types, TemplateEscape escape,
                     FILE *out, Error *reterr) {
        static const TemplateTypes no_types = {};
        _cleanup_free_ Evaluator *e = malloc(sizeof(Evaluator)); /* too large for the stack, and to be zeroed for each row */
        _cleanup_value_ Value dot = template_element(data);

        if (!e)
                return error_oom(reterr);
        e->template = template;
        e->types = types ?: &no_types;
        e->escape = escape;
        e->out = out;
        e->reterr = reterr;
        e->steps = e->n_variables = 0;
        int r = set_variable(e, "", &dot, /* assigns= */ false);
        if (r >= 0)
                r = execute_list(e, template->root, &dot);
        drop_variables(e, 0);
        if (r >= 0 && ferror(out))
                return error_set_errno(reterr, -EIO, "cannot write the output");
        return MIN(r, 0);
}
