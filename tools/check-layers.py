#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the include table of src/README.md: a file of a room includes its own room's headers and those of the rooms its row
names, always as "room/file.h". A row names what may be included; a room without a row may not exist. TAP, one line a room."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
GENERATED = {"config.h"}  # made by meson, of no room


def read_table():
    """{room: set of rooms that it may include}, None for all of them."""
    table = {}
    for line in (TOP / "src/README.md").read_text().splitlines():
        row = re.match(r"\| `([a-z-]+)` \|.*\|([^|]*)\|$", line)
        if row:
            words = row[2].split()
            table[row[1]] = None if words == ["all"] else set(words)
    return table


def problems_of(room, table):
    allowed = table[room]
    for path in sorted((TOP / "src" / room).rglob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not include or include[1] in GENERATED:
                continue
            other, _, rest = include[1].partition("/")
            where = f"{path.relative_to(TOP)}:{number}"
            if not rest:
                yield f'{where}: "{include[1]}" does not name its room'
            elif other not in table:
                yield f'{where}: "{include[1]}" is of no room in the table'
            elif other != room and allowed is not None and other not in allowed:
                yield f"{where}: {room} may not include {other}"


def cycles(table):
    """Rooms that could include each other, by way of others or not."""
    for room in table:
        seen, todo = set(), set(table[room] or ())
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo |= table.get(other) or set()
        if room in seen:
            yield f"{room} reaches itself through the table"


def main():
    table = read_table()
    here = {p.name for p in (TOP / "src").iterdir() if p.is_dir()}
    checks = [(f"{room} includes what its row allows", list(problems_of(room, table))) for room in sorted(here & set(table))]
    checks.append(("every room has a row, every row a room",
                   [f"src/{r}: not in the table" for r in sorted(here - set(table))] +
                   [f"src/README.md: there is no room {r}" for r in sorted(set(table) - here)] +
                   [f"src/README.md: {r} may include {o}, which is no room" for r in sorted(table)
                    for o in sorted((table[r] or set()) - set(table))]))
    checks.append(("the table has no cycle", list(cycles({r: o for r, o in table.items() if o is not None}))))
    print(f"1..{len(checks)}")
    for number, (name, problems) in enumerate(checks, 1):
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
        for problem in problems:
            print(f"#   {problem}")
    return any(problems for _, problems in checks)


if __name__ == "__main__":
    sys.exit(main())
