# SPDX-License-Identifier: Apache-2.0
"""A host, its neighbour and a container, all in private namespaces, for trying sdpod-net with real packets.

The "host" is a network namespace with a loopback of its own, a resolver on 127.0.0.53 and a leg to a peer (another
namespace, reached by veth). Containers are made by an ordinary user of it. Works as root, and as a user who has
subordinate IDs.
"""
import atexit
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

USER = 1000
HOST4, PEER4, HOST6, PEER6 = "192.168.77.1", "192.168.77.2", "fd77::1", "fd77::2"
PROGRAM = os.environ.get("SDPOD_NET", "/usr/libexec/sdpod/sdpod-net")
AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
HERE = pathlib.Path(__file__).resolve().parent
# one that every user may run
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def why_not():
    """The reason why this machine cannot run the lab, or None."""
    for tool in ("ip", "unshare", "nsenter", "setpriv"):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"{tool} is not installed"
    if not os.path.exists("/dev/net/tun"):
        return "/dev/net/tun is missing"
    # the container's user is neither its owner nor in its group
    if os.stat("/dev/net/tun").st_mode & 0o006 != 0o006:
        return "/dev/net/tun is not open to users"
    if subprocess.run(outer_command(["true"]), capture_output=True, check=False).returncode != 0:
        return "namespaces cannot be made here"
    inner = AS_USER + ["unshare", "-Urn", "true"]
    if subprocess.run(outer_command(inner), capture_output=True, check=False).returncode != 0:
        return "user namespaces cannot be made here"
    return None


def outer_command(command):
    if os.geteuid() == 0:
        return ["unshare", "-mn", "--"] + command
    return ["unshare", "-mn", "--map-root-user", "--map-auto", "--"] + command


def enter():
    """Runs this script again inside the host's namespaces."""
    if os.environ.get("SDPOD_LAB") != "1":
        os.environ["SDPOD_LAB"] = "1"
        os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        command = outer_command([sys.executable] + sys.argv)
        os.execvp(command[0], command)


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, **options)


class Lab:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sdpod-net-"))
        self.dir.chmod(0o755)
        self.tools = self.dir / "tools.py"
        shutil.copy(HERE / "tools.py", self.tools)
        self.tools.chmod(0o644)
        self.children = []
        atexit.register(self.end)
        self.make_etc()
        self.make_network()

    def make_etc(self):
        """An /etc of our own, with the resolver's file as a symlink into a directory, as systemd-resolved has it."""
        etc = self.dir / "etc"
        (self.dir / "resolve").mkdir()
        etc.mkdir()
        for name in ("passwd", "group", "nsswitch.conf", "ld.so.cache", "hosts"):
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", etc / name)
        self.resolver("127.0.0.53")
        (etc / "resolv.conf").symlink_to(self.dir / "resolve" / "stub.conf")
        run("mount", "--bind", etc, "/etc")

    def resolver(self, *addresses):
        """Changes the host's resolver, by rename."""
        new = self.dir / "resolve" / "new"
        new.write_text("".join(f"nameserver {a}\n" for a in addresses))
        new.rename(self.dir / "resolve" / "stub.conf")

    def make_network(self):
        self.peer = self.spawn(["unshare", "-n", "sleep", "infinity"])
        self.wait_for_netns(self.peer.pid)
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "h0", "type", "veth", "peer", "name", "p0", "netns", self.peer.pid)
        run("ip", "link", "set", "h0", "up")
        run("ip", "address", "add", f"{HOST4}/24", "dev", "h0")
        run("ip", "address", "add", f"{HOST6}/64", "dev", "h0", "nodad")
        run("ip", "address", "add", "169.254.169.254/32", "dev", "lo")
        inside = self.in_peer(["ip"])
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", "p0", "up")
        run(*inside, "address", "add", f"{PEER4}/24", "dev", "p0")
        run(*inside, "address", "add", f"{PEER6}/64", "dev", "p0", "nodad")
        run("ip", "route", "add", "default", "via", PEER4)
        run("ip", "-6", "route", "add", "default", "via", PEER6)

    @staticmethod
    def wait_for_netns(pid):
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{pid}/ns/net") == own:
            os.sched_yield()

    def in_peer(self, command):
        return ["nsenter", "-t", str(self.peer.pid), "-n", "--"] + command

    def spawn(self, command, **options):
        child = subprocess.Popen([str(c) for c in command], **options)
        self.children.append(child)
        return child

    def serve(self, *arguments, where=None):
        """Starts tools.py with these arguments and waits until it serves; its log is child.log."""
        command = [PYTHON, self.tools] + list(arguments)
        log = tempfile.NamedTemporaryFile("w+", dir=self.dir, delete=False)
        child = self.spawn((where or (lambda c: c))([str(c) for c in command]), stdout=subprocess.PIPE, stderr=log, text=True)
        child.log = log.name
        if child.stdout.readline() != "ready\n":
            raise RuntimeError(f"{arguments} does not serve: {open(log.name).read()}")
        return child

    def container(self, rootful=False):
        return Container(self, rootful)

    def end(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Container:
    """An init in namespaces of its own, and sdpod-net for it; rootful: root's, in root's own user namespace."""

    def __init__(self, lab, rootful=False):
        self.lab = lab
        self.net = None
        self.user = [] if rootful else AS_USER
        self.join = ["-n"] if rootful else ["-U", "-n", "--preserve-credentials"]
        self.init = lab.spawn(self.user + ["unshare", "-n" if rootful else "-Urn", "--", "sleep", "infinity"])
        lab.wait_for_netns(self.init.pid)
        while pathlib.Path(f"/proc/{self.init.pid}/comm").read_text() != "sleep\n":
            os.sched_yield()

    def inside(self, command):
        return self.user + ["nsenter", "-t", str(self.init.pid)] + self.join + ["--"] + command

    def start(self, program=PROGRAM, **config):
        config = {"ipv6": True, **config}
        fd = os.memfd_create("config")
        os.write(fd, json.dumps(config).encode())
        pidfd = os.pidfd_open(self.init.pid)
        ready, write = os.pipe()
        self.net = self.lab.spawn(self.user + [program, f"--config-fd={fd}", f"--init-pidfd={pidfd}", f"--ready-fd={write}"] +
                                  ([f"--name={config['name']}"] if "name" in config else []) +
                                  [f"--publish={p.get('hostPort')}/{p['protocol']}" for p in config.get("ports", [])],
                                  pass_fds=(fd, pidfd, write))
        for one in (fd, pidfd, write):
            os.close(one)
        with os.fdopen(ready) as file:
            return json.loads(file.read() or '{"error": {"message": "no answer"}}')

    def tool(self, *arguments, timeout=60):
        """Runs tools.py in the container; its output without the last newline."""
        done = subprocess.run(self.inside([PYTHON, str(self.lab.tools)] + [str(a) for a in arguments]),
                              capture_output=True, text=True, timeout=timeout, check=False)
        return (done.stdout or done.stderr).rstrip("\n").split("\n")[-1]

    def serve(self, *arguments):
        return self.lab.serve(*arguments, where=self.inside)

    def kill(self):
        self.init.send_signal(signal.SIGKILL)
        self.init.wait()
