# SPDX-License-Identifier: Apache-2.0
"""What the tests of sdpod-image share: a store of its own for each, the program run as an ordinary user or as root, TAP.

Run as root, they take an ordinary user with subordinate IDs for the user's half ($SDPOD_TEST_USER, whom `start` makes), and
run as root too. Run as a user, they are that user."""

import glob
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
sys.dont_write_bytecode = True
import image  # noqa: E402

PROGRAM = os.path.abspath(os.environ.get("SDPOD_IMAGE", "sdpod-image"))
SDPOD = os.environ.get("SDPOD") and os.path.abspath(os.environ["SDPOD"])
LIMIT = 60


def ordinary_user():
    """The user that runs the user's half; None: there is none."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    return pwd.getpwnam(os.environ["SDPOD_TEST_USER"]) if "SDPOD_TEST_USER" in os.environ else None


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, why=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            for line in str(why).splitlines()[:20]:
                print("#   " + "".join(c if c.isprintable() else "?" for c in line))
        sys.stdout.flush()
        return good

    def same(self, found, wanted, name):
        return self.ok(found == wanted, name, f"found:  {found!r}\nwanted: {wanted!r}")

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def finish(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}, stdout {self.out!r}, stderr {self.err!r}"


class Machine:
    """Runs the program as one kind of user, over stores below a directory of its own."""

    def __init__(self, user, base):
        self.root = user is None
        self.user = user
        self.label = "root" if self.root else "user"
        self.dir = tempfile.mkdtemp(prefix="sdpod-image-", dir=base)
        os.chmod(self.dir, 0o755)
        self.number = 0
        self.public = os.path.join(self.dir, "files")
        os.mkdir(self.public)
        self.private = os.path.join(self.dir, "stores")
        os.mkdir(self.private, 0o700)
        if user:
            os.chown(self.private, user.pw_uid, user.pw_gid)

    def prefix(self):
        if self.root or os.geteuid() != 0:
            return []
        return ["setpriv", "--reuid", str(self.user.pw_uid), "--regid", str(self.user.pw_gid), "--init-groups"]

    def environment(self):
        home = "/root" if self.root else self.user.pw_dir
        env = {"PATH": os.environ["PATH"], "HOME": home}
        return env | {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}

    def store(self):
        self.number += 1
        return os.path.join(self.private, f"s{self.number}")

    def run(self, store, *words, stdin=None, timeout=LIMIT, before=(), program=PROGRAM):
        command = list(before) + self.prefix() + [program, "--root", store, "--runroot", store + "-run", *words]
        with open(stdin or os.devnull, "rb") as f:
            process = subprocess.Popen(command, stdin=f, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
                                       env=self.environment(), start_new_session=True)
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return Result("timeout", "", "")
        return Result(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def inside(self, *command, stdin=b""):
        """Runs a command where the IDs of layers are those of the archive."""
        before = [] if self.root else self.prefix() + ["unshare", "--map-root-user", "--map-auto"]
        return subprocess.run(before + list(command), input=stdin, stdout=subprocess.PIPE, check=True, cwd="/", env=self.environment()).stdout

    def tree(self, store, diff_id):
        path = os.path.join(store, "layers", diff_id.removeprefix("sha256:"), "diff")
        with open(os.path.join(HERE, "tree.py"), "rb") as f:  # the user may not be able to read where the tests are
            return json.loads(self.inside("/usr/bin/python3", "-", path, stdin=f.read()))

    def remove(self, store):
        self.inside("rm", "-rf", store)

    def names(self, store):
        try:
            with open(os.path.join(store, "images", "index.json")) as f:
                entries = json.load(f)["manifests"]
        except FileNotFoundError:
            return []
        return sorted(e.get("annotations", {}).get("org.opencontainers.image.ref.name", "") for e in entries)

    def check_store(self, store):
        """What is wrong in a store, as text: every image whole, every blob what its name says, no layer half made."""
        wrong = []
        blobs = os.path.join(store, "images", "blobs", "sha256")
        for path in glob.glob(blobs + "/*"):
            with open(path, "rb") as f:
                if hashlib.sha256(f.read()).hexdigest() != os.path.basename(path):
                    wrong.append("blob " + path)
        layers = set(os.path.basename(p) for p in glob.glob(os.path.join(store, "layers", "*")))
        for layer in layers:
            if not os.path.exists(os.path.join(store, "layers", layer, "layer.json")):
                wrong.append("layer " + layer + " has no record")
        index = os.path.join(store, "images", "index.json")
        for entry in json.load(open(index))["manifests"] if os.path.exists(index) else []:
            manifest = json.load(open(os.path.join(blobs, entry["digest"][7:])))
            config = json.load(open(os.path.join(blobs, manifest["config"]["digest"][7:])))
            wrong += ["layer " + d + " is missing" for d in config["rootfs"]["diff_ids"] if d[7:] not in layers]
        return "\n".join(wrong)

    def leftovers(self, store):
        return [n for n in os.listdir(store) if n.startswith(".tmp")] if os.path.isdir(store) else []

    def end(self):
        self.inside("sh", "-c", 'rm -rf "$1"/*', "sh", self.private)
        shutil.rmtree(self.dir, ignore_errors=True)


def machines(base=None):
    base = base or os.environ.get("TMPDIR", "/var/tmp")
    found = [Machine(None, base)] if os.geteuid() == 0 else []
    user = ordinary_user()
    if user:
        found.append(Machine(user, base))
    else:
        print("# the user's half is left out: no user with subordinate IDs; name one in SDPOD_TEST_USER")
    return found
