#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds that each clause of the runtime specification in clauses.tsv is shown by a check of the file that its row names: one whose name
has the identifier in brackets. A check in a loop has a variable there: then the value must be a word of the file. TAP, one line a file."""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent


def rows():
    for number, line in enumerate((HERE / "clauses.tsv").read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != 5 or fields[2] not in ("MUST", "SHOULD", "MAY"):
                sys.exit(f"clauses.tsv:{number}: five fields are wanted, the third MUST, SHOULD or MAY")
            yield fields


def shown(name, text):
    if f"[{name}]" in text:
        return True
    for template in set(re.findall(r"\[([a-z0-9-]*(?:\$\{?[\w%#/*]+\}?)[a-z0-9.-]*|[a-z0-9.-]+\$\{?[\w%#/*:]+\}?[a-z0-9.-]*)\]", text)):
        before, _, after = re.sub(r"\$\{[^}]*\}|\$\w+", "\0", template).partition("\0")
        value = name[len(before):len(name) - len(after)]
        if name.startswith(before) and name.endswith(after) and re.search(rf"(?<![\w-]){re.escape(value)}(Paths)?(?![\w-])", text):
            return True
    return False


def main():
    wanted, seen, failed = {}, set(), 0
    for name, _, _, file, _ in rows():
        if name in seen:
            sys.exit(f"clauses.tsv: {name} is there twice")
        seen.add(name)
        wanted.setdefault(file, []).append(name)
    print(f"1..{len(wanted)}")
    for number, (file, names) in enumerate(wanted.items(), 1):
        text = (HERE / f"{file}.sh").read_text()
        missing = [name for name in names if not shown(name, text)]
        failed += bool(missing)
        print(f"{'not ' if missing else ''}ok {number} - oci/{file}.sh shows each of its {len(names)} clauses")
        for name in missing:
            print(f"# no check has [{name}]")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
