/* SPDX-License-Identifier: Apache-2.0 */
/* Text in columns, by elastic tab stops. */
#include "cli/columns.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

typedef struct Cell {
        const char *text;
        size_t size, width;
} Cell;

typedef struct Line {
        size_t first, n; /* cells; the last one is not ended by a tab */
} Line;

typedef struct Columns {
        Cell *cells;
        Line *lines;
        size_t n_cells, n_lines;
        bool ends_with_newline;
} Columns;

static bool is_ascii(const char *s, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (s[i] & 0x80)
                        return false;
        return true;
}

/* wcwidth(3) asks the locale, and the user's may be "C": the text is UTF-8 all the same. */
size_t columns_width(const char *s, size_t size) {
        size_t width = 0, n;
        mbstate_t state = {};
        locale_t utf8, before;

        if (is_ascii(s, size))
                return size;
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
        if (!utf8)
                return size;
        before = uselocale(utf8);
        for (size_t i = 0; i < size; i += n) {
                wchar_t c;

                n = mbrtowc(&c, s + i, size - i, &state);
                if (n == (size_t) -1 || n == (size_t) -2 || n == 0) {
                        state = (mbstate_t){};
                        n = 1;
                        width++;
                        continue;
                }
                int w = wcwidth(c);
                width += w < 0 ? n : (size_t) w;
        }
        (void) uselocale(before);
        freelocale(utf8);
        return width;
}

static int cut(const char *text, Columns *c) {
        size_t n_lines = 1, n_cells = 1;

        for (const char *s = text; *s; s++) {
                n_lines += *s == '\n';
                n_cells += *s == '\n' || *s == '\t';
        }
        c->cells = calloc(n_cells, sizeof(Cell));
        c->lines = calloc(n_lines, sizeof(Line));
        if (!c->cells || !c->lines)
                return -ENOMEM;
        while (*text) {
                Line *line = &c->lines[c->n_lines++];

                line->first = c->n_cells;
                for (;;) {
                        size_t n = strcspn(text, "\t\n");

                        c->cells[c->n_cells++] = (Cell){ .text = text, .size = n, .width = columns_width(text, n) };
                        line->n++;
                        text += n;
                        if (*text != '\t')
                                break;
                        text++;
                }
                c->ends_with_newline = *text == '\n';
                text += *text == '\n';
        }
        return 0;
}

/* Gives the cells of one column in a run of lines the same width. Returns the line behind the run. */
static size_t level(Columns *c, size_t line, size_t column) {
        size_t width = COLUMNS_MIN_WIDTH, end = line;

        for (; end < c->n_lines && c->lines[end].n > column + 1; end++)
                width = MAX(width, c->cells[c->lines[end].first + column].width + COLUMNS_PADDING);
        for (size_t i = line; i < end; i++) {
                Cell *cell = &c->cells[c->lines[i].first + column];

                cell->width = width - cell->width; /* from here on the padding */
        }
        return end;
}

static void level_all(Columns *c) {
        size_t most = 0;

        for (size_t i = 0; i < c->n_lines; i++)
                most = MAX(most, c->lines[i].n);
        for (size_t column = 0; column + 1 < most; column++)
                for (size_t i = 0; i < c->n_lines;) {
                        size_t end = level(c, i, column);

                        i = MAX(end, i + 1);
                }
}

static void put_blanks(size_t n, FILE *out) {
        static const char blanks[] = "                                                                ";

        for (; n > sizeof(blanks) - 1; n -= sizeof(blanks) - 1)
                fwrite(blanks, 1, sizeof(blanks) - 1, out);
        fwrite(blanks, 1, n, out);
}

int columns_write(const char *text, FILE *out) {
        Columns c = {};
        int r = cut(text, &c);

        if (r >= 0)
                level_all(&c);
        for (size_t i = 0; i < c.n_lines && r >= 0; i++) {
                for (size_t k = 0; k < c.lines[i].n; k++) {
                        const Cell *cell = &c.cells[c.lines[i].first + k];

                        fwrite(cell->text, 1, cell->size, out);
                        if (k + 1 < c.lines[i].n)
                                put_blanks(cell->width, out);
                }
                if (i + 1 < c.n_lines || c.ends_with_newline)
                        fputc('\n', out);
        }
        free(c.cells);
        free(c.lines);
        return r < 0 ? r : ferror(out) ? -EIO : 0;
}
