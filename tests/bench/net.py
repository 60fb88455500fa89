# SPDX-License-Identifier: Apache-2.0
"""Compares sdpod-net and slirp4netns between a container and a neighbour of its host; see net.sh."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "net"))
import lab as lab_module  # noqa: E402
from lab import PEER4, AS_USER, Container, Lab  # noqa: E402

SECONDS = 2


class Peer(Container):
    """A container whose network is slirp4netns, with the same sandboxing as podman gives it."""

    def start(self, mtu=65520):
        ready, write = os.pipe()
        self.net = self.lab.spawn(AS_USER + ["slirp4netns", "--configure", f"--mtu={mtu}", "--disable-host-loopback",
                                             "--enable-sandbox", "--enable-seccomp", "--enable-ipv6", "-r", str(write),
                                             str(self.init.pid), "tap0"],
                                  pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(ready) as file:
            return file.read(1)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(container, reverse):
    """Gbit/s and the helper's processor seconds per gigabyte."""
    command = container.inside(["iperf3", "-J", "-c", PEER4, "-t", str(SECONDS)] + (["-R"] if reverse else []))
    done = None
    while not done:
        # the server may still be busy with the end of the one before
        before = cpu_seconds(container.net.pid)
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        done = json.loads(answer).get("end", {}).get("sum_received")
    return done["bits_per_second"] / 1e9, (cpu_seconds(container.net.pid) - before) / max(done["bytes"] / 1e9, 1e-9)


def throughput(lab, rounds):
    print(f"{'':24}{'sdpod-net':>20}{'slirp4netns':>20}{'ratio':>8}   (Gbit/s, processor s/GB)")
    pairs = [(1500, 1500), (16384, 16384), (65520, 65520), (16384, 65520)]
    for ours, theirs in pairs:
        for reverse in (False, True):
            found = ([], [])
            for _ in range(rounds):
                for i, (kind, mtu) in enumerate(((Container, ours), (Peer, theirs))):
                    container = kind(lab)
                    container.start(mtu=mtu)
                    found[i].append(measure(container, reverse))
                    container.kill()
                    container.net.kill()
            rate, cost = zip(*(map(statistics.median, zip(*one)) for one in found))
            name = f"MTU {ours}" if ours == theirs else "defaults (16384, 65520)"
            print(f"{name + (' down' if reverse else ' up'):24}" +
                  "".join(f"{r:12.2f} {c:7.3f}" for r, c in zip(rate, cost)) + f"{rate[0] / rate[1]:8.2f}", flush=True)


def start_time(lab, rounds):
    found = ([], [])
    for _ in range(rounds):
        for i, kind in enumerate((Container, Peer)):
            container = kind(lab)
            begin = time.perf_counter()
            container.start()
            found[i].append((time.perf_counter() - begin) * 1000)
            container.kill()
            container.net.kill()
            container.net.wait()
    a, b = map(statistics.median, found)
    print(f"{'start to ready, ms':24}{a:12.2f}{b:20.2f}{b / a:16.2f}   (with setpriv's own exec, both)")


def main():
    reason = None if os.environ.get("SDPOD_LAB") == "1" else lab_module.why_not()
    for tool in ("iperf3", "slirp4netns"):
        reason = reason or (None if shutil.which(tool) else f"{tool} is not installed")
    if reason:
        print(f"cannot measure: {reason}", file=sys.stderr)
        return 77
    lab_module.enter()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    lab = Lab()
    lab.spawn(lab.in_peer(["iperf3", "-s"]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while subprocess.run(lab.in_peer(["sh", "-c", "ss -Hltn | grep -q :5201"]), check=False).returncode != 0:
        os.sched_yield()
    start_time(lab, rounds * 6)
    throughput(lab, rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
