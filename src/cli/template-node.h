/* SPDX-License-Identifier: Apache-2.0 */
/* The syntax tree between the template's parser and its evaluator; private to the two and to the functions. */
#pragma once

#include "cli/template.h"

typedef enum NodeType {
        NODE_TEXT,
        NODE_ACTION,
        NODE_IF,
        NODE_RANGE,
        NODE_WITH,
        NODE_BREAK,
        NODE_CONTINUE,
} NodeType;

typedef enum OperandType {
        OPERAND_DOT,      /* `.`, and fields after it */
        OPERAND_VARIABLE, /* `$name`, and fields after it */
        OPERAND_CONSTANT, /* string, number, true, false */
        OPERAND_NIL,
        OPERAND_FUNCTION,
        OPERAND_PIPE,     /* parentheses, and fields after them */
} OperandType;

typedef struct Value Value;
typedef struct Evaluator Evaluator;
typedef int (*TemplateCall)(Evaluator *e, const Value *args, size_t n, Value *ret);

typedef struct TemplateFunction {
        const char *name;
        TemplateCall call; /* NULL: `and` and `or`, which evaluate no more than they need */
        size_t min, max;   /* arguments */
} TemplateFunction;

typedef struct Operand {
        OperandType type;
        const char *name; /* of the variable or function */
        const TemplateFunction *function;
        json_t *constant;   /* borrowed from the template */
        struct Pipe *pipe;
        const char **fields;
        size_t n_fields;
        struct Operand *next;
} Operand;

typedef struct Command {
        Operand *operands; /* at least one */
        size_t n_operands;
        struct Command *next;
} Command;

typedef struct Pipe {
        const char *variables[2];
        size_t n_variables;
        bool assigns; /* = and not := */
        Command *commands;
} Pipe;

typedef struct Node {
        NodeType type;
        char *text;
        size_t size;
        Pipe *pipe;
        struct Node *list, *otherwise;
        struct Node *next;
} Node;

typedef struct Block {
        struct Block *next;
        max_align_t data[];
} Block;

struct Template {
        char *source; /* for messages */
        Node *root;
        json_t *constants; /* owns what operands borrow */
        json_t *fields;    /* the names of all fields that are read, as keys */
        Block *blocks;     /* owns everything else */
};

typedef enum ValueKind {
        VALUE_DATA,   /* a string, number, boolean, list or null */
        VALUE_STRUCT,
        VALUE_MAP,
        VALUE_TIME,
        VALUE_ZERO,   /* what index finds at a key that a map does not have */
} ValueKind;

struct Value {
        json_t *json; /* owned; NULL: no value */
        ValueKind kind;
};

#define VALUE_NULL ((Value){})

static inline void value_done(Value *v) {
        json_decref(v->json);
        *v = VALUE_NULL;
}
#define _cleanup_value_ _cleanup_(value_done)

const TemplateFunction *template_function_find(const char *name, size_t length) _pure_;

/* Sets the evaluation's error: "cannot evaluate '<template>': <text>". */
int template_fail(Evaluator *e, const char *format, ...) _printf_(2, 3);
/* A string that a function made: refused above TEMPLATE_TEXT_LIMIT, and its length counts as steps, since a loop may
 * double a variable. */
int template_give_text(Evaluator *e, const char *text, size_t size, Value *ret);

/* -E2BIG with the message where `size` is too long for a string. */
int template_check_size(Evaluator *e, size_t size);

const TemplateTypes *template_types(const Evaluator *e) _pure_;

/* How Go's %v prints a value; printf's other verbs are in template-print.c. */
int template_print(const TemplateTypes *types, const Value *v, FILE *out);

bool template_truth(const Value *v) _pure_;

/* An element of a list or map, and a field by name, with the kinds that they have. New references. */
Value template_element(const json_t *json);
Value template_child(const TemplateTypes *types, const json_t *json, const char *name);

/* The name of a value's type in messages, as near to Go's as JSON allows. */
const char *template_type_name(const Value *v) _pure_;

int template_call_printf(Evaluator *e, const Value *args, size_t n, Value *ret);

/* What a VALUE_TIME's method of this name gives, and its Format for a layout. -ENOMEM is without a message. */
int template_time_field(Evaluator *e, const Value *v, const char *name, Value *ret);
int template_time_format(Evaluator *e, const Value *v, const Value *layout, Value *ret);

/* Sorted keys of an object, borrowed; owned array; NULL when out of memory. */
const char **template_sorted_keys(const json_t *object);
