#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds that each test is run: a file of tests/e2e and of tests/oci stands in tests/meson.build, and one of tests/unit in its
room's. TAP, one line a directory."""

import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests"


def unlisted(names, build):
    listed = {re.sub(r"^test-|\.c$", "", word) for word in re.findall(r"'([\w.-]+)'", build.read_text())}
    return sorted(names - listed)


def main():
    rows = [(name, {path.stem for path in (TESTS / name).glob("*.sh")} - {"lib"}, TESTS / "meson.build") for name in ("e2e", "oci")]
    for room in sorted((TESTS / "unit").glob("*/meson.build")):
        names = {path.stem.removeprefix("test-") for path in room.parent.glob("test-*.c")}
        rows.append((f"unit/{room.parent.name}", names, room))
    print(f"1..{len(rows)}")
    failed = 0
    for number, (title, names, build) in enumerate(rows, 1):
        missing = unlisted(names, build)
        failed += bool(missing)
        print(f"{'not ' if missing else ''}ok {number} - tests/{title}: each of {len(names)} files is run")
        for name in missing:
            print(f"# {name} is not in {build.relative_to(TESTS.parent)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
