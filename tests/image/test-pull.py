# SPDX-License-Identifier: Apache-2.0
"""A pull that is killed, or whose system calls fail, at any step: what has a name in the store is whole, the next pull succeeds
and fetches only what is missing, and nothing temporary stays.

By default a sample of about a minute. SDPOD_PULL_FAULTS=all: every call of every kind; SDPOD_PULL_FAULTS=openat,... : of these."""

import glob
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from harness import HERE, PROGRAM, Tap, image, machines

tap = Tap()
Layer, Image = image.Layer, image.Image
WHOLE = os.environ.get("SDPOD_PULL_FAULTS", "")
BUDGET = 0 if WHOLE else 30  # seconds; 0: to the end
CALLS = {
    "renameat,renameat2,rename": 1,
    "fsync,syncfs,fdatasync": 1,
    "mkdirat,mkdir": 1,
    "unlinkat,unlink": 1,
    "clone,clone3,fork,vfork": 1,
    "write,writev,pwrite64": 1,
    "openat2": 1,
    "openat,open": 1,
}
LAYERS = [
    Layer().dir("d", uid=7).file("d/f", "x" * 100000, uid=5).symlink("s", "d/f"),
    Layer().file("d/.wh.f", "").file("g", "y" * 5000),
    Layer().dir("e").file("e/a", "a").hardlink("e/b", "e/a").file("h", "z" * 70000),
    Layer().file("large", random.Random(1).randbytes(300000)),  # not one of the small layers, which share a worker
]


class Registry:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="sdpod-registry-")
        self.start = os.path.join(HERE, "..", "registry", "start")
        subprocess.run([self.start, "--http", "--anonymous", self.dir], check=True, stdin=subprocess.DEVNULL)
        with open(os.path.join(self.dir, "address"), encoding="ascii") as f:
            self.address = f.read().strip()
        archive = os.path.join(self.dir, "image.tar")
        Image(LAYERS, Cmd=["x"]).write_archive(archive, "x")
        subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", "oci-archive:" + archive,
                        f"docker://{self.address}/t/x:1"], check=True)
        self.name = self.address + "/t/x:1"

    def blobs(self):
        """How many blobs were asked for until now."""
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
            return len(re.findall(r'"GET /v2/t/x/blobs/[^ ]* HTTP/[^"]*" 20', f.read()))

    def end(self):
        subprocess.run([self.start, "--stop", self.dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


def words(registry):
    return ["pull", "--tls-verify=false", "--retry=0", registry.name]


def files_of(store, layer):
    base = os.path.join(store, "layers", layer, "diff")
    return sorted((os.path.relpath(os.path.join(d, n), base), os.lstat(os.path.join(d, n)).st_size)
                  for d, _, names in os.walk(base) for n in names)


def layers_of(store):
    return sorted(os.path.basename(p) for p in glob.glob(os.path.join(store, "layers", "?" * 64)))


def settle(store, registry):
    """Waits until nobody works on the store any more (what a signal ended cleans up in the background) and all is logged."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        users = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as f:
                    users += [path] if store.encode() + b"\0" in f.read() else []
            except OSError:
                pass
        before = registry.blobs()
        time.sleep(0.05)
        if not users and registry.blobs() == before:
            return


class Loop:
    def __init__(self, m, registry):
        self.m, self.registry = m, registry
        self.reference = m.store()
        first = m.run(self.reference, *words(registry))
        assert first.status == 0, first
        self.trees = {layer: files_of(self.reference, layer) for layer in layers_of(self.reference)}
        self.kept = self.tries = 0

    def wrong(self, store, what):
        """What is wrong in the store now, and after the next pull."""
        m, found = self.m, []
        settle(store, self.registry)
        state = m.check_store(store)
        if state:
            found.append(f"{what}: {state}")
        layers = layers_of(store)
        found += [f"{what}: layer {layer} is not whole" for layer in layers if files_of(store, layer) != self.trees[layer]]
        blobs = os.path.join(store, "images", "blobs", "sha256")
        have = len(layers) + (sum(len(b) == 64 and self.is_config(store, b) for b in os.listdir(blobs)) if os.path.isdir(blobs) else 0)
        before = self.registry.blobs()
        again = m.run(store, *words(self.registry))
        fetched = self.registry.blobs() - before
        if again.status != 0 or self.registry.name not in m.names(store):
            found.append(f"{what}, again: {again}")
        elif fetched != len(self.trees) + 1 - have:
            found.append(f"{what}, again: {fetched} blobs were fetched, and {have} of {len(self.trees) + 1} were there")
        if m.check_store(store) or m.leftovers(store):
            found.append(f"{what}, again: {m.check_store(store)} {m.leftovers(store)}")
        locks = os.path.join(store + "-run", "pulls")
        if os.path.isdir(locks) and os.listdir(locks):
            found.append(f"{what}, again: locks are left")
        self.tries += 1
        self.kept += len(layers) > 0
        return found

    @staticmethod
    def is_config(store, blob):
        with open(os.path.join(store, "images", "blobs", "sha256", blob), "rb") as f:
            return b'"rootfs"' in f.read()

    def traced(self, calls, action, n):
        """One pull under strace's injection: its status and store."""
        m, store = self.m, self.m.store()
        user = [] if m.root else ["-u", m.user.pw_name]
        command = ["strace", "-f", "-qq", "-o", "/dev/null", *user, "-e", f"trace={calls}", "-e", f"inject={calls}:{action}:when={n}",
                   PROGRAM, "--root", store, "--runroot", store + "-run", *words(self.registry)]
        try:
            result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    env=m.environment(), cwd="/", timeout=60)
        except subprocess.TimeoutExpired:
            return "timeout", "", store
        return result.returncode, result.stderr.decode("utf-8", "replace"), store

    def every(self, calls, action, first, step, deadline):
        """At the Nth call of each process, for every N. How many there were, what was wrong, whether it came to the end."""
        problems, n, clean = [], first, 0
        while clean < (3 if step == 1 else 1) and n < 400:
            if deadline and n > first and time.monotonic() > deadline:
                return n, problems, False
            status, text, store = self.traced(calls, action, n)
            if status == "timeout":
                problems.append(f"{calls} {action} {n}: it hangs")
            elif status not in (0, 125) and "KILL" not in action:
                problems.append(f"{calls} {action} {n}: status {status}: {text[-300:]}")
            problems += self.wrong(store, f"{calls} {action} {n}")
            self.m.remove(store)
            # no process has so many calls: the end, unless the fault was got over
            clean = clean + 1 if status == 0 else 0
            n += step
        return n - first, problems, True


def loader_opens(m):
    """How many files the program opens before it begins, in ld.so."""
    out = subprocess.run(["strace", "-qq", "-e", "trace=openat,open", PROGRAM, "nothing"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=m.environment(), check=False).stderr
    return out.count(b"openat(")


def loops(m, registry):
    if os.geteuid() != 0 or not shutil.which("strace"):
        tap.skip(f"{m.label}: killed at every step", "strace is not installed, or this is not root")
        return
    loop = Loop(m, registry)
    chosen = {c: s for c, s in CALLS.items() if not WHOLE or WHOLE == "all" or any(w in c.split(",") for w in WHOLE.split(","))}
    end = time.monotonic() + BUDGET if BUDGET else 0
    actions = ("signal=KILL", "error=ENOSPC", "error=EIO", "error=ENOMEM")
    todo = [(c, a) for a in actions for c in chosen if a == "signal=KILL" or not c.startswith("clone") or a == "error=ENOMEM"]
    for i, (calls, action) in enumerate(todo):
        first = loader_opens(m) + 1 if calls.startswith("openat,") else 1
        now = time.monotonic()
        deadline = now + max(0.0, (end - now) / (len(todo) - i)) if end else 0
        n, problems, over = loop.every(calls, action, first, 1 if WHOLE else 4, deadline)
        tap.ok(not problems, f"{m.label}: {action} at {n} calls of {calls}{'' if over else ' (a sample)'}", "\n".join(problems))
    print(f"# {m.label}: {loop.tries} pulls were cut short; {loop.kept} of them had stored a layer")


def descendants(pid):
    found = [pid]
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(path, encoding="ascii") as f:
                for child in f.read().split():
                    found += descendants(int(child))
        except OSError:
            pass
    return found


def any_time(m, registry):
    """One process of a pull, or all, killed at any moment."""
    loop, problems = Loop(m, registry), []
    rounds = 200 if WHOLE else 25
    generator = random.Random(1)
    for i in range(rounds):
        store = m.store()
        command = m.prefix() + [PROGRAM, "--root", store, "--runroot", store + "-run", *words(registry)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=m.environment(), cwd="/", start_new_session=True)
        time.sleep(generator.random() * 0.25)
        tree = descendants(process.pid)
        number = signal.SIGINT if i % 5 == 0 else signal.SIGKILL
        try:
            if i % 3 == 0:
                os.killpg(process.pid, number)
            else:
                os.kill(generator.choice(tree), number)
        except ProcessLookupError:
            pass
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            problems.append(f"round {i}: it does not end")
            os.killpg(process.pid, signal.SIGKILL)
        problems += loop.wrong(store, f"round {i}, {len(tree)} processes, {number.name}")
        m.remove(store)
    tap.ok(not problems, f"{m.label}: killed at {rounds} moments", "\n".join(problems))


def main():
    missing = [p for p in ("skopeo", "docker-registry") if not shutil.which(p)]
    if missing:
        print(f"1..0 # SKIP {missing[0]} is not installed")
        return
    registry = Registry()
    try:
        for m in reversed(machines()):
            environment = m.environment() | {"XDG_RUNTIME_DIR": m.private}
            m.environment = lambda found=environment: found
            if not m.root or WHOLE:
                any_time(m, registry)
                loops(m, registry)
            m.end()
    finally:
        registry.end()
    tap.finish()


main()
