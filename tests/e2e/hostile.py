# SPDX-License-Identifier: Apache-2.0
"""Images that attack: hostile.py DIRECTORY VICTIM writes one OCI archive an attack into DIRECTORY.

VICTIM is an absolute path of a directory on the host with a file `secret`; every attack tries to read or change it, to
hang its reader, or to say on the terminal what it should not. The names are those that hostile.sh judges by.
"""

import io
import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from image import Image, Layer, busybox_layer  # noqa: E402


def attacks(victim):
    up = "../" * 24 + victim.lstrip("/")
    base = busybox_layer().bytes()
    escape = "root\x1b]0;owned\x07"

    def over(*layers, **config):
        return Image([base, *layers], Cmd=["/bin/true"], **config)

    def without(*names):
        """The busybox layer less some of its entries, so that an attack can put its own in their place."""
        source, target = tarfile.open(fileobj=io.BytesIO(base)), Layer()
        for member in source:
            if member.name not in names:
                target.tar.addfile(member, source.extractfile(member) if member.isreg() else None)
        return target

    yield "dotdot", over(Layer().file("../../../../../../../.." + victim + "/pwned", "x"))
    yield "dotdot-inside", over(Layer().dir("a").file("a/../../../../../../../.." + victim + "/pwned", "x"))
    yield "absolute", over(Layer().file(victim + "/pwned", "x"))
    yield "symlink-dir", over(Layer().symlink("d", victim).file("d/pwned", "x"))
    yield "symlink-dir-relative", over(Layer().symlink("d", up).file("d/pwned", "x"))
    yield "symlink-chain", over(Layer().symlink("a", "b").symlink("b", "c").symlink("c", victim).file("a/pwned", "x"))
    yield "symlink-dotdot", over(Layer().symlink("a", "..").symlink("b", "a/..").file("b" + victim + "/pwned", "x"))
    yield "symlink-file", over(Layer().symlink("f", victim + "/secret").file("f", "overwritten"))
    yield "symlink-across-layers", over(Layer().symlink("d", victim), Layer().file("d/pwned", "x"))
    yield "symlink-replaces-dir", over(Layer().dir("d").file("d/x", "x").symlink("d", victim).file("d/pwned", "x"))
    yield "symlink-dir-mode", over(Layer().symlink("d", victim).dir("d", mode=0o777, uid=1))
    yield "hardlink-absolute", over(Layer().hardlink("h", victim + "/secret").file("h", "overwritten"))
    yield "hardlink-dotdot", over(Layer().hardlink("h", up + "/secret").file("h", "overwritten"))
    yield "hardlink-through-symlink", over(Layer().symlink("d", victim).hardlink("h", "d/secret").file("h", "overwritten"))
    yield "hardlink-to-symlink", over(Layer().symlink("s", victim + "/secret").hardlink("h", "s").file("h", "overwritten"))
    yield "whiteout-dot", over(Layer().file(".wh.."))
    yield "whiteout-dotdot", over(Layer().file(".wh..."))
    yield "whiteout-empty", over(Layer().file(".wh."))
    yield "whiteout-parent", over(Layer().dir("a").file("a/.wh..."))
    yield "whiteout-outside", over(Layer().file("a/../../../../../../.." + victim + "/.wh.secret"))
    yield "whiteout-through-symlink", over(Layer().symlink("d", victim).file("d/.wh.secret"))
    yield "whiteout-symlink-below", over(Layer().symlink("d", victim), Layer().file("d/.wh.secret"))
    yield "opaque-through-symlink", over(Layer().symlink("d", victim).file("d/.wh..wh..opq"))
    yield "opaque-root", over(Layer().file(".wh..wh..opq"))
    yield "dev-symlink", Image([without("dev"), Layer().symlink("dev", victim)], Cmd=["/bin/true"])
    yield "proc-symlink", Image([without("proc"), Layer().symlink("proc", victim)], Cmd=["/bin/true"])
    yield "sys-symlink", Image([without("sys"), Layer().symlink("sys", victim)], Cmd=["/bin/true"])
    yield "run-symlink", Image([without("run"), Layer().symlink("run", victim)], Cmd=["/bin/true"])
    yield "etc-symlink", Image([without("etc", "etc/passwd", "etc/group", "etc/not-a-program"),
                                Layer().symlink("etc", victim)], Cmd=["/bin/true"])
    yield "hosts-symlink", over(Layer().symlink("etc/hosts", victim + "/secret")
                                .symlink("etc/resolv.conf", victim + "/secret").symlink("etc/hostname", victim + "/pwned"))
    for name, target in ("proc", "/proc"), ("sysctl", "/proc/sys"), ("sys", "/sys"), ("root", "/"):
        yield "volume-on-" + name, over(Layer().symlink("data", target), Volumes={"/data": {}})
    yield "volume-symlink", over(Layer().symlink("data", victim), Volumes={"/data": {}})
    yield "volume-dotdot", over(Volumes={"/../../../../.." + victim: {}})
    yield "workdir-symlink", over(Layer().symlink("w", victim), WorkingDir="/w/made")
    yield "workdir-descriptor", over(WorkingDir="/proc/self/fd/7")
    yield "entrypoint-self", over(Layer().symlink("me", "/proc/self/exe"), Entrypoint=["/me"])
    yield "passwd-fifo", Image([without("etc/passwd"), Layer().fifo("etc/passwd")], Cmd=["/bin/true"], User="app")
    yield "group-fifo", Image([without("etc/group"), Layer().fifo("etc/group")], Cmd=["/bin/true"], User="app")
    yield "passwd-symlink", Image([without("etc/passwd"), Layer().symlink("etc/passwd", victim + "/secret")],
                                  Cmd=["/bin/true"], User="secret")
    yield "passwd-node", Image([without("etc/passwd"), Layer().node("etc/passwd", "c", 1, 5)], Cmd=["/bin/true"], User="app")
    yield "group-huge", Image([without("etc/group"), Layer().file(
        "etc/group", "".join(f"g{i}:x:{i + 10000}:app\n" for i in range(300000)))], Cmd=["/bin/true"], User="app")
    yield "device", over(Layer().node("sda", "b", 8, 0).node("mem", "c", 1, 1))
    yield "forged-whiteout", over(Layer().dir("etc").node("etc/passwd", "c", 0, 0))
    yield "overlay-xattr", over(Layer().dir("d", xattrs={"user.overlay.redirect": victim, "trusted.overlay.opaque": "y",
                                                         "user.overlay.opaque": "y", "trusted.overlay.redirect": victim}))
    yield "user-escape", over(User=escape)
    yield "command-escape", Image([base], Cmd=["/bin/no\x1b[31msuch"])
    yield "label-escape", over(Labels={"a\x1b[2J": escape, "io.podman.annotations.userns": "host",
                                       "run.oci.handler": "krun", "org.systemd.property.ExecStartPre": victim})
    yield "name-long", over(Layer().file("/".join(["d" * 200] * 30), "x"))
    yield "link-long", over(Layer().symlink("long", "x" * 40000))
    yield "name-control", over(Layer().file("new\nline\x1b[31m", "x").file("nul", "x"))
    yield "owner-huge", over(Layer().file("owned", "x", uid=4000000000, gid=4000000000))
    yield "twice", over(Layer().file("f", "one").dir("g").file("f", "two").symlink("g", victim).file("g/pwned", "x"))
    yield "stop-signal", over(StopSignal="99999999999")
    yield "env-newline", over(Env=["A=1\nB=2", "=x", "NOEQUALS", "C=\x1b[31m"])
    yield "workdir-relative", over(WorkingDir="../../../../.." + victim)
    yield "healthcheck-zero", over(Healthcheck={"Test": ["CMD", "true"], "Interval": 0, "Timeout": 0, "Retries": 0})
    yield "arguments-huge", Image([base], Cmd=["/bin/true"] + ["x" * 100000] * 30)
    yield "entrypoint-string", over(Entrypoint="/bin/true")


def main(argv):
    directory, victim = argv[1], argv[2]
    os.makedirs(directory, exist_ok=True)
    for name, image in attacks(victim):
        image.write_archive(os.path.join(directory, name + ".tar"), f"localhost/{name}:latest")


if __name__ == "__main__":
    main(sys.argv)
