# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any step, a full disk, many at once: the store stays usable and nothing in it that has a name is incomplete."""

import os
import shutil
import signal
import subprocess
import time

from harness import PROGRAM, Tap, image, machines

tap = Tap()
Layer, Image = image.Layer, image.Image


def make(m, name, layers):
    path = os.path.join(m.public, name + ".tar")
    Image(layers, Cmd=[name]).write_archive(path, name)
    return path


def sound(m, store, path, name):
    """The same command once more succeeds, and leaves the store whole and nothing else in it."""
    result = m.run(store, "load", "--input", path)
    return result.status == 0 and name in m.names(store) and not m.check_store(store) and not m.leftovers(store), result


def killed(m):
    """SIGKILL at the Nth call of every kind that changes something, for every N."""
    if os.geteuid() != 0 or not shutil.which("strace"):
        tap.skip(f"{m.label}: killed at every step", "strace is not installed, or this is not root")
        return
    path = make(m, "killed", [Layer().dir("d", uid=7).file("d/f", "x" * 100000, uid=5), Layer().file("g", "y")])
    old = make(m, "old", [Layer().file("old", "old")])
    user = [] if m.root else ["-u", m.user.pw_name]
    for calls in ("mkdirat,mkdir", "renameat,renameat2,rename", "fsync,syncfs", "unlinkat,unlink", "fchown,fchownat",
                  "pwrite64", "fcntl", "clone,clone3,fork,vfork", "sendto,sendmsg,recvfrom,recvmsg"):
        wrong, n, done = [], 0, False
        while not done and n < 120:
            n += 1
            store = m.store()
            m.run(store, "load", "--input", old)
            # strace itself must be root, so that set-user-ID helpers keep their privilege (strace(1), -u)
            command = ["strace", "-f", "-qq", "-o", "/dev/null", *user, "-e", f"trace={calls}",
                       "-e", f"inject={calls}:signal=KILL:when={n}", PROGRAM, "--root", store, "--runroot", store + "-run",
                       "load", "--input", path]
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    env=m.environment(), cwd="/").returncode
            done = status == 0
            state = m.check_store(store)
            if state or "localhost/old:latest" not in m.names(store):
                wrong.append(f"{calls} {n}: {state} {m.names(store)}")
            good, result = sound(m, store, path, "localhost/killed:latest")
            if not good:
                wrong.append(f"{calls} {n}, again: {result} {m.check_store(store)} {m.leftovers(store)}")
            m.remove(store)
        tap.ok(not wrong and done and n > 1, f"{m.label}: killed at {n - 1} calls of {calls}", "\n".join(wrong) or f"{n} {done}")


def killed_any_time(m):
    """SIGKILL of the whole session while a large layer is unpacked."""
    path = make(m, "large", [Layer().file("big", os.urandom(30 << 20))])
    store, wrong = m.store(), []
    for i in range(12):
        process = subprocess.Popen(m.prefix() + [PROGRAM, "--root", store, "--runroot", store + "-run", "load", "--input", path],
                                   env=m.environment(), cwd="/", start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.02 * i)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        if os.path.isdir(store) and m.check_store(store):
            wrong.append(m.check_store(store))
    good, result = sound(m, store, path, "localhost/large:latest")
    tap.ok(good and not wrong, f"{m.label}: killed twelve times while a layer is unpacked", f"{wrong}\n{result}\n{m.leftovers(store)}")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and subprocess.run(["pgrep", "-f", store], stdout=subprocess.DEVNULL).returncode == 0:
        time.sleep(0.1)
    found = subprocess.run(["pgrep", "-af", store], stdout=subprocess.PIPE).stdout.decode()
    tap.same(found, "", f"{m.label}: ... and no process is left")


def full(m):
    """No space, and no inodes."""
    if os.geteuid() != 0:
        tap.skip(f"{m.label}: a full disk", "needs root, to mount one")
        return
    large = make(m, "large", [Layer().file("a", "a"), Layer().file("big", os.urandom(6 << 20))])
    many = Layer()
    for i in range(500):
        many.file(f"f{i}", "x")
    many = make(m, "many", [many])
    small = make(m, "small", [Layer().file("f", "x" * 50000)])
    for options, path in (("size=4m", large), ("size=4m,nr_inodes=120", many)):
        store = m.store()
        os.mkdir(store)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options + ",mode=0700", "tmpfs", store], check=True)
        try:
            if m.user:
                os.chown(store, m.user.pw_uid, m.user.pw_gid)
            result = m.run(store, "load", "--input", path)
            lines = [line for line in result.err.strip().split("\n") if not line.startswith("hint: ")]
            tap.ok(result.status == 125 and len(lines) == 1 and m.names(store) == [] and not m.leftovers(store),
                   f"{m.label}: an image that does not fit ({options}) is refused in one line", f"{result} {m.leftovers(store)}")
            good, result = sound(m, store, small, "localhost/small:latest")
            tap.ok(good, f"{m.label}: ... and one that fits comes in", result)
        finally:
            subprocess.run(["umount", store], check=True)


def together(m):
    """Ten at once load two images that share a layer."""
    base = Layer().file("base", os.urandom(2 << 20)).bytes()
    paths = [make(m, "one", [base, Layer().file("1", "1")]), make(m, "two", [base, Layer().file("2", "2")])]
    store = m.store()
    processes = [subprocess.Popen(m.prefix() + [PROGRAM, "--root", store, "--runroot", store + "-run", "load", "--input", paths[i % 2]],
                                  env=m.environment(), cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE) for i in range(10)]
    results = [(p.communicate(timeout=60), p.returncode) for p in processes]
    tap.ok(all(code == 0 for _, code in results) and m.names(store) == ["localhost/one:latest", "localhost/two:latest"] and
           not m.check_store(store) and not m.leftovers(store) and len(os.listdir(store + "/layers")) == 3,
           f"{m.label}: ten loads at once", f"{results}\n{m.check_store(store)}\n{m.leftovers(store)}")


def damaged(m):
    """A list of images that cannot be read is named, and not written over."""
    path = make(m, "one", [Layer().file("1", "1")])
    for text in ("", "{", '{"schemaVersion":2,"manifests":[{"digest":"sha256:x"}]}'):
        store = m.store()
        m.run(store, "load", "--input", path)
        index = store + "/images/index.json"
        with open(index, "w") as f:
            f.write(text)
        result = m.run(store, "load", "--input", path)
        tap.ok(result.status == 125 and "index.json" in result.err and open(index).read() == text,
               f"{m.label}: a list of images that reads {text!r} is named", result)


for machine in machines():
    for test in (killed_any_time, full, together, damaged, killed):
        test(machine)
    machine.end()
tap.finish()
