#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the sizes of the house: a file has at most 800 lines, a function at most 80. What has to be longer is named in
EXCEPTIONS with its reason, and an exception that is no longer needed is a fault, too. TAP, one line a directory."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
FILE_LINES, FUNCTION_LINES = 800, 80
EXCEPTIONS = {
    # "src/room/file.c": "reason", "src/room/file.c:function": "reason"
}


def functions(lines):
    """(name, first line, number of lines) of each function: the house style opens one at the end of a line that begins at
    the margin (or continues one that does) and closes it with a brace at the margin."""
    name = start = first = None
    signature = ""
    for number, line in enumerate(lines, 1):
        if start is None:
            if re.match(r"[A-Za-z_]", line):
                signature, first = line, number
            elif line.startswith(" ") and signature:
                signature += " " + line.strip()
            else:
                signature = ""
            if signature and re.search(r"\)\s*\{$", signature) and "=" not in signature.split("(")[0]:
                found = re.search(r"([A-Za-z_]\w*)\s*\(", signature)
                name, start = found[1] if found else "?", first
            elif signature.endswith((";", "{")):
                signature = ""
        elif line.startswith("}"):
            yield name, start, number - start + 1
            start, signature = None, ""


def main():
    used, groups = set(), {}
    for path in sorted(p for d in ("src", "generators", "tests/unit") for p in TOP.glob(d + "/**/*.[ch]")):
        name = str(path.relative_to(TOP))
        problems = groups.setdefault(str(path.parent.relative_to(TOP)), [])
        lines = path.read_text().splitlines()
        found = [(name, 1, len(lines), FILE_LINES, "lines")]
        found += [(f"{name}:{f}", start, n, FUNCTION_LINES, "lines in a function") for f, start, n in functions(lines)]
        for key, start, n, limit, what in found:
            if n <= limit:
                continue
            if key in EXCEPTIONS:
                used.add(key)
            else:
                problems.append(f"{name}:{start}: {n} {what}, the limit is {limit} ({key})")
    groups["exceptions"] = [f"{key} is within the limits: take its exception out" for key in sorted(set(EXCEPTIONS) - used)]
    print(f"1..{len(groups)}")
    for number, (name, problems) in enumerate(groups.items(), 1):
        print(f"{'not ok' if problems else 'ok'} {number} - sizes in {name}")
        for problem in problems:
            print(f"#   {problem}")
    return any(groups.values())


if __name__ == "__main__":
    sys.exit(main())
