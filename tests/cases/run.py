#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the case files of this directory against a generator and prints TAP.

    run.py GENERATOR [CASE...]      what each case says
    run.py --verify GENERATOR       every unit of every case is accepted by systemd-analyze verify

A case is a text of blocks. A block begins with ">>> WORD ARGUMENTS" and ends with the next one. Set-up:

    >>> file PATH           a source file with the block's text (blank lines at its end go)
    >>> bytes PATH          the same, the text being the inside of a Python bytes literal
    >>> link PATH TARGET    a symlink; >>> fifo PATH, >>> dir PATH, >>> huge PATH
    >>> run ARGUMENTS       what to call the generator with: {out} {early} {late} are directories (default: -user {out})
    >>> env KEY=VALUE

and what must come of it, where KIND is a unit in the output directory ("late/web.service" in the late one):

    >>> exit STATUS         0 where this is not said
    >>> argv UNIT KEY [N]   the words of the last (or N-th, from 0) KEY= of [Service], one a line, as systemd reads them;
                            "<empty>" is an empty word; a backslash, newline, tab or return is shown as in C
    >>> lines UNIT GROUP    these lines in this order and no others of the same keys in that group
    >>> lacks UNIT GROUP    none of these keys in that group
    >>> links               "PATH -> TARGET" lines: all links of the output directory
    >>> only                the names of all services in the output directory
    >>> absent UNIT
    >>> says                each line is part of what is printed to stderr; >>> silent: nothing is printed there
    >>> shows               each line is part of stdout
    >>> tolerates           each line is part of what systemd-analyze verify may say about these units

{dir} in expectations is the source directory."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SHOWN = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
HERE = os.path.dirname(os.path.abspath(__file__))


class Wrong(Exception):
    pass


def words(value):
    """A value as systemd splits it: systemd.syntax(7) and systemd.service(5), independent of the code under test."""
    out, i = [], 0
    named = dict(zip("abfnrtv\\\"'s", "\a\b\f\n\r\t\v\\\"' "))
    while True:
        while i < len(value) and value[i] in " \t\n\r":
            i += 1
        if i >= len(value):
            return out
        if value[i] == ";" and (i + 1 == len(value) or value[i + 1] in " \t"):
            raise Wrong("a bare semicolon would end the command: " + value)
        word, quote = b"", ""
        while i < len(value) and (quote or value[i] not in " \t\n\r"):
            c = value[i]
            i += 1
            if c == "\\":
                m = re.match(r"x([0-9a-fA-F]{2})|([0-7]{3})", value[i:])
                if m:
                    word += bytes([int(m.group(1), 16) if m.group(1) else int(m.group(2), 8)])
                    i += m.end()
                elif i < len(value) and value[i] in named:
                    word += named[value[i]].encode()
                    i += 1
                else:
                    raise Wrong("an escape that systemd does not know: " + value)
            elif c == quote:
                quote = ""
            elif not quote and c in "\"'":
                quote = c
            else:
                word += c.encode()
        if quote:
            raise Wrong("an open quote: " + value)
        out.append(word.decode("utf-8", "backslashreplace"))


def read_unit(path):
    """[(group, key, value)] as systemd reads the file."""
    with open(path, "rb") as f:
        data = f.read()
    if b"\0" in data or b"\r" in data:
        raise Wrong(path + " has bytes at which systemd would end a line")
    out, group, joined = [], None, ""
    for line in data.decode("utf-8").split("\n"):
        if line.lstrip()[:1] in ("#", ";"):
            continue
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        line, joined = (joined + line).strip(" \t"), ""
        if not line:
            continue
        m = re.fullmatch(r"\[(.*)\]", line)
        if m:
            group = m.group(1)
        elif "=" in line:
            key, _, value = line.partition("=")
            out.append((group, key.strip(), value.strip()))
        else:
            raise Wrong("systemd would not understand: " + line)
    return out


def blocks(path):
    out = []
    with open(path, encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if line.startswith(">>> "):
                head = line[4:].split(" ")
                out.append((head[0], head[1:], []))
            elif out:
                out[-1][2].append(line)
    for _, _, text in out:
        while text and not text[-1]:
            text.pop()
    return out


class Case:
    def __init__(self, generator, path):
        self.generator, self.blocks = generator, blocks(path)
        self.root = tempfile.mkdtemp(prefix="sdpod-case-")
        self.dir = os.path.join(self.root, "units")
        self.out, self.early, self.late = (os.path.join(self.root, d) for d in ("out", "early", "late"))
        self.arguments, self.status = ["-user", "{out}"], 0
        self.env = {"QUADLET_UNIT_DIRS": self.dir, "SDPOD": "/usr/bin/sdpod"}

    def __enter__(self):
        os.mkdir(self.dir)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)

    def set_up(self):
        for word, args, text in self.blocks:
            path = os.path.join(self.dir, args[0] if word == "link" else " ".join(args))
            if word in ("file", "bytes", "link", "fifo", "dir", "huge"):
                os.makedirs(os.path.dirname(path), exist_ok=True)
            if word == "file":
                with open(path, "w", encoding="utf-8") as f:
                    f.write("\n".join(text) + "\n")
            elif word == "bytes":
                with open(path, "wb") as f:
                    f.write("\n".join(text).encode().decode("unicode_escape").encode("latin-1"))
            elif word == "link":
                os.symlink(args[1].replace("{dir}", self.dir), path)
            elif word == "fifo":
                os.mkfifo(path)
            elif word == "dir":
                os.makedirs(path, exist_ok=True)
            elif word == "huge":
                with open(path, "wb") as f:
                    f.truncate(1 << 33)
            elif word == "env":
                key, _, value = " ".join(args).partition("=")
                self.env[key] = value.replace("{root}", self.root)
            elif word == "run":
                self.arguments = args
            elif word == "exit":
                self.status = int(args[0])

    def generate(self):
        argv = [self.generator] + [a.format(out=self.out, early=self.early, late=self.late) for a in self.arguments]
        if "-dryrun" not in argv:
            argv.insert(1, "-no-kmsg-log")
        p = subprocess.run(argv, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.stdout, self.stderr = p.stdout.decode(), p.stderr.decode()
        if p.returncode != self.status:
            raise Wrong("exit status %d, not %d: %s" % (p.returncode, self.status, self.stderr))

    def path(self, unit):
        return os.path.join(self.late, unit[len("late/"):]) if unit.startswith("late/") else os.path.join(self.out, unit)

    def unit(self, unit):
        if not os.path.isfile(self.path(unit)):
            raise Wrong("%s was not written: %s" % (unit, self.stderr))
        return read_unit(self.path(unit))

    def expect_argv(self, args, text):
        values = [v for g, k, v in self.unit(args[0]) if g == "Service" and k == args[1]]
        number = int(args[2]) if len(args) > 2 else -1
        if not values or number >= len(values):
            raise Wrong("%s has no %s=" % (args[0], args[1]))
        found = [w.translate(SHOWN) or "<empty>" for w in words(values[number].lstrip("-"))]
        if found != text:
            raise Wrong("%s of %s is\n%s\nnot\n%s" % (args[1], args[0], "\n".join(found), "\n".join(text)))

    def expect_lines(self, args, text):
        keys = {line.partition("=")[0] for line in text}
        found = ["%s=%s" % (k, v) for g, k, v in self.unit(args[0]) if g == args[1] and k in keys]
        if found != text:
            raise Wrong("[%s] of %s has\n%s\nnot\n%s" % (args[1], args[0], "\n".join(found), "\n".join(text)))

    def expect_lacks(self, args, text):
        for g, k, v in self.unit(args[0]):
            if g == args[1] and k in text:
                raise Wrong("[%s] of %s has %s=%s" % (g, args[0], k, v))

    def expect_links(self, _, text):
        found = []
        for base, dirs, files in os.walk(self.out):
            for name in dirs + files:
                path = os.path.join(base, name)
                if os.path.islink(path):
                    found.append("%s -> %s" % (os.path.relpath(path, self.out), os.readlink(path)))
        if sorted(found) != sorted(text):
            raise Wrong("the links are\n%s\nnot\n%s" % ("\n".join(sorted(found)), "\n".join(sorted(text))))

    def expect_only(self, _, text):
        found = sorted(n for n in os.listdir(self.out) if os.path.isfile(self.path(n)) and not os.path.islink(self.path(n)))
        if found != sorted(text):
            raise Wrong("the services are %s, not %s: %s" % (found, sorted(text), self.stderr))

    def expect_absent(self, args, _):
        if os.path.lexists(self.path(args[0])):
            raise Wrong(args[0] + " was written")

    def expect_says(self, _, text):
        for line in text:
            if line not in self.stderr:
                raise Wrong("stderr lacks %r, it is: %s" % (line, self.stderr))

    def expect_shows(self, _, text):
        for line in text:
            if line not in self.stdout:
                raise Wrong("stdout lacks %r, it is: %s" % (line, self.stdout))

    def expect_silent(self, *_):
        if self.stderr:
            raise Wrong("stderr is not empty: " + self.stderr)

    def check(self):
        n = 0
        for word, args, text in self.blocks:
            expect = getattr(self, "expect_" + word, None)
            if expect:
                expect(args, [line.replace("{dir}", self.dir) for line in text])
                n += 1
            elif word not in ("file", "bytes", "link", "fifo", "dir", "huge", "env", "run", "exit", "tolerates"):
                raise Wrong("no such block: " + word)
        # whatever was written can be read
        for directory in (self.out, self.late):
            for name in os.listdir(directory) if os.path.isdir(directory) else []:
                path = os.path.join(directory, name)
                if os.path.isfile(path) and name.endswith(".service"):
                    for group, key, value in read_unit(path):
                        if group == "Service" and key.startswith("Exec"):
                            words(value)
                elif name.startswith("."):
                    raise Wrong("a temporary file was left: " + name)
        if n == 0:
            raise Wrong("the case expects nothing")


def run_case(generator, path):
    with Case(generator, path) as case:
        case.set_up()
        case.generate()
        case.check()


def replace_program(unit):
    """What a broken file's service runs is sdpod itself, whatever $SDPOD says, and need not be installed here."""
    with open(unit, encoding="utf-8") as f:
        text = f.read()
    with open(unit, "w", encoding="utf-8") as f:
        f.write(re.sub(r"^(ExecStart=)\S*/sdpod (?=__fault )", r"\1/bin/true ", text, flags=re.MULTILINE))


def verify(generator, paths):
    """One systemd-analyze for the units of all cases, each case in a directory of its own."""
    tool = shutil.which("systemd-analyze")
    if not tool:
        print("1..0 # SKIP systemd-analyze is not installed")
        return 0
    print("1..%d" % len(paths))
    failed = 0
    for number, path in enumerate(paths, 1):
        name = os.path.basename(path)
        with Case(generator, path) as case:
            case.env["SDPOD"] = "/bin/true"
            try:
                case.set_up()
                case.generate()
                units = [os.path.join(d, n) for d in (case.out, case.late) if os.path.isdir(d) for n in sorted(os.listdir(d))
                         if n.endswith(".service") and not os.path.islink(os.path.join(d, n))]
                for unit in units:
                    replace_program(unit)
                shutil.copy(os.path.join(HERE, "..", "..", "units", "sdpod-user-wait-network-online.service"), case.out)
                bad = []
                if units:
                    env = dict(os.environ, SYSTEMD_UNIT_PATH=case.out + ":" + case.late + ":/usr/lib/systemd/user",
                               XDG_RUNTIME_DIR=case.root)
                    p = subprocess.run([tool, "--user", "verify", "--man=no", "--recursive-errors=no"] + units,
                                       env=env, capture_output=True, timeout=120)
                    text = p.stderr.decode("utf-8", "replace")
                    bad = [l for l in text.split("\n") if l.startswith(case.root) or re.match(r"[\w@.-]+\.service: ", l)]
                    tolerated = [line for word, _, lines in case.blocks if word == "tolerates" for line in lines]
                    # what stands for a broken file runs the installed program, whatever $SDPOD says
                    tolerated.append("/sdpod is not executable: No such file or directory")
                    bad = [l for l in bad if not any(t in l for t in tolerated)]
                if bad:
                    raise Wrong("\n".join(bad))
                print("ok %d - %s" % (number, name))
            except Wrong as e:
                failed = 1
                print("not ok %d - %s" % (number, name))
                print("\n".join("# " + l for l in str(e).split("\n")))
    return failed


def main():
    arguments = sys.argv[1:]
    verifying = arguments[:1] == ["--verify"]
    generator = os.path.abspath(arguments[1 if verifying else 0])
    paths = arguments[2 if verifying else 1:] or \
        sorted(os.path.join(HERE, n) for n in os.listdir(HERE) if n.endswith(".case"))
    if verifying:
        sys.exit(verify(generator, paths))
    print("1..%d" % len(paths))
    failed = 0
    for number, path in enumerate(paths, 1):
        try:
            run_case(generator, path)
            print("ok %d - %s" % (number, os.path.basename(path)))
        except (Wrong, UnicodeError, subprocess.TimeoutExpired) as e:
            failed = 1
            print("not ok %d - %s" % (number, os.path.basename(path)))
            print("\n".join("# " + l for l in str(e).split("\n")))
    sys.exit(failed)


if __name__ == "__main__":
    main()
