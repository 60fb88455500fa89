#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile values in every key: the command has exactly the words that were meant, and the service not a line more.

    payloads.py GENERATOR"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from run import Wrong, read_unit, words

# Values that are taken as they stand (one line, and no blank or backslash at its ends).
RAW = ["a;b", "; /bin/evil ;", ";", "a ; b", "\\n", "a\\nExecStart=/bin/evil", "a\\x0aUser=root", "\\x", "\\q", "a\\\\nb",
       "%h", "%%", "%n%i%", "100%", "$HOME", "${HOME}", "$$", "$", "a$b", "'", "''", "'a b'", "it's", "\"", "\"a", "a\"b\"c",
       "[Service]", "a]b[c", "#x", "a #b", "=", "a==b", "-x", "--privileged", "@/bin/evil", "a\tb", "a  b", "\u00e9\U0001F600", "x" * 5000,
       "\x01\x1f\x7f", "a,b=c", "*?[a-z]", "`id`", "$(id)", "a&&b||c", "../../etc", "a:b:c:d", "\u2028x", "\u0085x"]
# Words as they are to arrive, written by quoting each character that means anything.
WORDS = RAW + ["", "\\\\", " ", " a", "a ", "a\nExecStartPre=/bin/evil", "a\r\n[Service]\nUser=root", "a\\", "\\", "\n", "\t", "tail\\\n"]

STRINGS = {"HostName": "--hostname", "IP": "--ip", "Memory": "--memory", "PidsLimit": "--pids-limit", "Pull": "--pull",
           "ShmSize": "--shm-size", "StopSignal": "--stop-signal", "StopTimeout": "--stop-timeout", "Timezone": "--tz",
           "WorkingDir": "--workdir", "LogDriver": "--log-driver", "HealthCmd": "--health-cmd", "User": "--user", "UserNS": "--userns",
           "CgroupsMode": "--cgroups", "Retry": "--retry", "HealthInterval": "--health-interval", "SubUIDMap": "--subuidname"}
PREFIXED = {"SeccompProfile": "seccomp=", "AppArmor": "apparmor=", "SecurityLabelType": "label=type:"}
LINES = {"AddHost": "--add-host", "DNS": "--dns", "DNSOption": "--dns-option", "GroupAdd": "--group-add", "Tmpfs": "--tmpfs",
         "Ulimit": "--ulimit", "PublishPort": "--publish", "NetworkAlias": "--network-alias"}
ARGS = {"Secret": "--secret"}
PAIRS = {"Environment": "--env", "Label": "--label", "Annotation": "--annotation"}


def quoted(word):
    out = ""
    for c in word:
        if c.isascii() and (c.isalnum() or c in "-_./:,=;$%"):
            out += c
        else:
            out += "".join("\\x%02x" % b for b in c.encode())
    return '"' + out + '"'


def stripped(value):
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def source(raw, word):
    lines = ["[Container]", "Image=registry.example/a"]
    expected = []
    for key, flag in STRINGS.items():
        lines.append("%s=%s" % (key, raw))
        expected.append((flag, stripped(raw)))
    for key, prefix in PREFIXED.items():
        lines.append("%s=%s" % (key, raw))
        expected.append(("--security-opt", prefix + stripped(raw)))
    for key, flag in LINES.items():
        lines.append("%s=%s" % (key, raw))
        expected.append((flag, raw))
    for key, flag in ARGS.items():
        if word:
            lines.append("%s=%s" % (key, quoted(word)))
            expected.append((flag, word))
    for key, flag in PAIRS.items():
        lines.append("%s=%s" % (key, quoted("K=" + word)))
        expected.append((flag, "K=" + word))
    lines.append("PodmanArgs=%s" % quoted(word))
    lines.append("Exec=%s end" % quoted(word))
    return "\n".join(lines) + "\n", expected, [word, "registry.example/a", word, "end"]


def check(path, expected, tail):
    unit = read_unit(path)
    service = [(k, v) for g, k, v in unit if g == "Service"]
    keys = [k for k, _ in service]
    wanted = ["Environment", "KillMode", "ExecStop", "ExecStopPost", "Delegate", "Type", "NotifyAccess", "SyslogIdentifier", "ExecStart"]
    if keys != wanted:
        raise Wrong("the service has %s" % keys)
    if {g for g, _, _ in unit} != {"Unit", "Service", "X-Container"}:
        raise Wrong("other groups")
    argv = words(dict(service)["ExecStart"])
    if argv[-len(tail):] != tail:
        raise Wrong("ends with %r, not %r" % (argv[-len(tail):], tail))
    rest = argv[argv.index("--rm") + 1:-len(tail)]
    for flag, value in expected:
        found = [i for i in range(len(rest) - 1) if rest[i] == flag and rest[i + 1] == value]
        if not found:
            raise Wrong("no %s %r in %r" % (flag, value, rest))
        del rest[found[0]:found[0] + 2]
    if rest != ["--sdnotify=conmon", "-d"]:
        raise Wrong("more than was meant: %r" % rest)


def main():
    generator, top = os.path.abspath(sys.argv[1]), tempfile.mkdtemp(prefix="sdpod-payload-")
    units, out = os.path.join(top, "units"), os.path.join(top, "out")
    os.mkdir(units)
    cases = {}
    for i, word in enumerate(WORDS):
        raw = RAW[i % len(RAW)].strip(" \t\r\n\v\f")
        text, expected, tail = source(raw, word)
        cases["p%d" % i] = (raw, word, expected, tail)
        with open(os.path.join(units, "p%d.container" % i), "w", encoding="utf-8", newline="") as f:
            f.write(text)
    p = subprocess.run([generator, "-user", "-no-kmsg-log", out], env={"QUADLET_UNIT_DIRS": units, "SDPOD": "/bin/true"},
                       capture_output=True, timeout=60)
    print("1..%d" % (len(cases) + 1))
    failed = 0
    for number, (name, (raw, word, expected, tail)) in enumerate(cases.items(), 1):
        try:
            if not os.path.exists(os.path.join(out, name + ".service")):
                raise Wrong("not written: %s" % p.stderr.decode())
            check(os.path.join(out, name + ".service"), expected, tail)
            print("ok %d - %s" % (number, ascii((raw[:30], word[:30]))))
        except Wrong as e:
            failed = 1
            print("not ok %d - %s\n# %s" % (number, ascii((raw[:30], word[:30])), ascii(str(e)[:2000])))
    tool = shutil.which("systemd-analyze")
    if not tool:
        print("ok %d - systemd reads them all # SKIP systemd-analyze is not installed" % (len(cases) + 1))
    else:
        env = dict(os.environ, SYSTEMD_UNIT_PATH=out + ":/usr/lib/systemd/user", XDG_RUNTIME_DIR=top)
        v = subprocess.run([tool, "--user", "verify", "--man=no", "--recursive-errors=no"] +
                           [os.path.join(out, n + ".service") for n in cases], env=env, capture_output=True, timeout=120)
        bad = [l for l in v.stderr.decode("utf-8", "replace").split("\n")
               if re.match(r"(%s.*|p\d+\.service): " % re.escape(top), l) and "not-found" not in l]
        print("%sok %d - systemd reads them all" % ("not " if bad else "", len(cases) + 1))
        print("\n".join("# " + ascii(l) for l in bad[:10]))
        failed = failed or bool(bad)
    shutil.rmtree(top)
    sys.exit(1 if failed else 0)


main()
