/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out tables of options for --help: two columns, the right one wrapped. */
#include "base/option-help.h"

#include "base/str.h"

enum { WIDTH = 80, LEFT_MAX = 30 };

void help_print_wrapped(FILE *f, const char *text, size_t column) {
        size_t at = column;

        while (*text) {
                size_t n = strcspn(text, " \n");

                if (at > column && at + 1 + n > WIDTH) {
                        fprintf(f, "\n%*s", (int) column, "");
                        at = column;
                } else if (at > column) {
                        fputc(' ', f);
                        at++;
                }
                fprintf(f, "%.*s", (int) n, text);
                at += n;
                text += n;
                if (*text == '\n') {
                        fprintf(f, "\n%*s", (int) column, "");
                        at = column;
                }
                text += *text ? 1 : 0;
        }
        fputc('\n', f);
}

static void print_row(FILE *f, const char *left, const char *right, size_t column) {
        size_t n = strlen(left);

        fputs(left, f);
        if (n + 2 > column)
                fprintf(f, "\n%*s", (int) column, "");
        else
                fprintf(f, "%*s", (int) (column - n), "");
        help_print_wrapped(f, right, column);
}

/* What stands for the value: the row's metavar, or a word by kind; NULL when it takes none. */
static const char *metavar_of(const Option *option) {
        if (!option_takes_value(option))
                return NULL;
        if (option->metavar)
                return option->metavar;
        switch (option->kind) {
        case OPTION_INT:
        case OPTION_INT64:
        case OPTION_UINT32:
        case OPTION_UINT64:
                return "N";
        case OPTION_BYTES:
                return "SIZE";
        case OPTION_DURATION:
                return "TIME";
        default:
                return "VALUE";
        }
}

bool options_are_shown(const Option *const *tables) {
        for (; tables && *tables; tables++)
                for (const Option *o = *tables; o->name; o++)
                        if (option_is_shown(o))
                                return true;
        return false;
}

/* "  -m, --memory SIZE" */
static void option_left(const Option *o, bool letter, char *buffer, size_t size) {
        const char *metavar = metavar_of(o);
        char dash[5] = "    ";

        if (letter)
                (void) snprintf(dash, sizeof(dash), "-%c, ", o->letter);
        (void) snprintf(buffer, size, "  %s--%s%s%s", dash, o->name, metavar ? " " : "", metavar ?: "");
}

static int compare_names(const void *a, const void *b) {
        const Option *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

/* The rows that are shown, of all tables in one order. Owned; NULL where there are none. */
static const Option **sorted_rows(const Option *const *tables, size_t *ret_n) {
        const Option **rows = NULL;
        size_t n = 0;

        for (; tables && *tables; tables++)
                for (const Option *o = *tables; o->name; o++) {
                        const Option **more = option_is_shown(o) ? reallocarray(rows, n + 1, sizeof(*rows)) : NULL;

                        if (more) {
                                rows = more;
                                rows[n++] = o;
                        }
                }
        if (n > 0)
                qsort(rows, n, sizeof(*rows), compare_names);
        *ret_n = n;
        return rows;
}

void help_print_options(FILE *f, const char *title, const Option *const *tables, const Option *const *before) {
        size_t column = 0, n;
        _cleanup_free_ const Option **rows = sorted_rows(tables, &n);
        char left[80];

        for (size_t i = 0; i < n; i++) {
                option_left(rows[i], false, left, sizeof(left));
                if (strlen(left) <= LEFT_MAX)
                        column = MAX(column, strlen(left) + 2);
        }
        if (n == 0)
                return;
        fprintf(f, "\n%s:\n", title);
        for (size_t i = 0; i < n; i++) {
                bool letter = rows[i]->letter && !options_find_letter(before, rows[i]->letter);

                option_left(rows[i], letter, left, sizeof(left));
                print_row(f, left, rows[i]->help, column);
        }
}
