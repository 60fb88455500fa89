#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts checks: tally.py FILE...

A FILE ending in .json is a testlog.json of meson, any other the TAP output of one test (its exit code may stand in a last
line `# exit N`). Lists what failed and what was skipped, each with its reason, and ends with the one line
`N passed, M failed, K skipped`. A test that is no TAP counts as one check. Exits with 1 if anything failed or nothing ran."""

import json
import os
import re
import sys

LINE = re.compile(r"(ok|not ok)\b(?: +\d+)?(?: +-)? *(.*?)(?: *# *(SKIP|TODO)\S* *(.*))?$", re.IGNORECASE)


def read_tap(text):
    """[(result, name, detail)] of one TAP output, with a check of its own for a plan that does not hold."""
    checks, plan, comment = [], None, None
    for line in text.splitlines():
        match = LINE.match(line)
        head = re.match(r"1\.\.(\d+)(?: *# *SKIP *(.*))?", line, re.IGNORECASE)
        if head:
            plan = int(head[1])
            if plan == 0:
                checks.append(["skipped", "the whole test", head[2] or "no reason given"])
                plan = 1
        elif match:
            result = "skipped" if match[3] else "passed" if match[1] == "ok" else "failed"
            comment = [result, match[2], match[4] or ""]
            checks.append(comment)
        elif line.startswith("#") and comment and comment[0] == "failed":
            comment[2] += "\n" + line
        elif line.startswith("Bail out!"):
            checks.append(["failed", "bailed out", line[9:]])
    if plan != len(checks):
        checks.append(["failed", "the plan holds", f" planned {plan}, found {len(checks)}"])
    return checks


def read_meson(path):
    for line in open(path):
        test = json.loads(line)
        name, out, result = test["name"], test.get("stdout") or "", test["result"]
        if re.search(r"^(1\.\.\d+|(not )?ok\b)", out, re.MULTILINE):
            checks = read_tap(out)
            failed = any(c[0] == "failed" for c in checks)
            if result not in ("OK", "SKIP", "EXPECTEDFAIL") and not failed:
                checks.append(["failed", "it ends well", f" {result}, exit code {test.get('returncode')}\n{test.get('stderr') or ''}"])
        elif result in ("OK", "EXPECTEDFAIL"):
            checks = [["passed", "", ""]]
        elif result == "SKIP":
            checks = [["skipped", "the whole test", (out.strip() or "no reason given").splitlines()[-1]]]
        else:
            checks = [["failed", "", f" {result}\n{out[-4000:]}{(test.get('stderr') or '')[-4000:]}"]]
        yield name, checks


def read(path):
    if not os.path.exists(path):
        yield os.path.basename(path), [["failed", "it was written", " there is no such file"]]
    elif path.endswith(".json"):
        yield from read_meson(path)
    else:
        yield path.rsplit("/", 1)[-1].rsplit(".", 1)[0], read_tap(open(path, errors="replace").read())


def main(paths):
    found = [(name, check) for path in paths for name, checks in read(path) for check in checks]
    count = {r: sum(1 for _, c in found if c[0] == r) for r in ("passed", "failed", "skipped")}
    for result in ("skipped", "failed"):
        for name, (r, what, detail) in found:
            if r == result:
                print(f"{result}: {name}: {what}{': ' if detail and result == 'skipped' else ''}{detail}".rstrip())
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
