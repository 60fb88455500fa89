#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same files give the same bytes, and generators that run at once never show a reader half a service.

    twice.py GENERATOR"""
import os
import shutil
import subprocess
import sys
import tempfile

UNITS, AT_ONCE, ROUNDS = 100, 4, 3


def make(units):
    os.makedirs(os.path.join(units, "sub"))
    for i in range(UNITS):
        with open(os.path.join(units, "sub" if i % 3 else "", "c%d.container" % i), "w") as f:
            f.write("[Container]\nImage=r.x/%d\nEnvironment=B=1 A=2 C=3\nLabel=z=1 a=2\nExec=%s\n"
                    "[Install]\nWantedBy=default.target t%d.target\nAlias=sub/alias%d.service\n" % (i, "word " * 1000, i % 5, i))
        with open(os.path.join(units, "v%d.volume" % i), "w") as f:
            f.write("[Volume]\nLabel=b=1 a=2\n")


def start(generator, units, out):
    return subprocess.Popen([generator, "-user", "-no-kmsg-log", out], env={"QUADLET_UNIT_DIRS": units},
                            stderr=subprocess.PIPE)


def snapshot(out):
    found = {}
    for base, dirs, files in os.walk(out):
        for name in dirs + files:
            path = os.path.join(base, name)
            if os.path.islink(path):
                found[os.path.relpath(path, out)] = "-> " + os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as f:
                    found[os.path.relpath(path, out)] = f.read()
    return found


def main():
    generator, top = os.path.abspath(sys.argv[1]), tempfile.mkdtemp(prefix="sdpod-twice-")
    units, failed = os.path.join(top, "units"), []
    make(units)
    print("1..3")

    def report(number, name, holds, why=""):
        print("%sok %d - %s" % ("" if holds else "not ", number, name))
        if not holds:
            failed.append(name)
            print("# " + why)

    one, two, many = (os.path.join(top, n) for n in ("one", "two", "many"))
    for out in (one, two):
        start(generator, units, out).communicate()
    reference = snapshot(one)
    report(1, "two runs write the same bytes", reference == snapshot(two) and len(reference) > UNITS * 2)

    os.mkdir(many)
    half, errors = "", ""
    for _ in range(ROUNDS):
        running = [start(generator, units, many) for _ in range(AT_ONCE)]
        while any(p.poll() is None for p in running):
            for name in os.listdir(many):
                if name.endswith(".service") and not name.startswith("."):
                    with open(os.path.join(many, name), "rb") as f:
                        if f.read() != (reference.get(name) if isinstance(reference.get(name), bytes)
                                        else reference.get(reference[name][3:])):
                            half = name
        errors += "".join(p.stderr.read().decode() for p in running)
        errors += "".join("status %d" % p.returncode for p in running if p.returncode)
    report(2, "a reader never sees half a service", not half and not errors, half + errors[:500])
    report(3, "several at once end like one", snapshot(many) == reference,
           "left over: %s" % sorted(set(snapshot(many)) ^ set(reference))[:5])
    shutil.rmtree(top)
    sys.exit(1 if failed else 0)


main()
