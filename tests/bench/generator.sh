#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How long the generator takes for 1, 100, 1,000 and 5,000 units, on tmpfs as at boot: the best and the median of a number
# of runs, and the memory that it held at most. Usage: generator.sh [GENERATOR] [RUNS]
generator=${1:-/usr/lib/systemd/user-generators/sdpod-user-generator}
runs=${2:-21}
dir=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/sdpod-bench.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
exec python3 - "$generator" "$runs" "$dir" <<'END'
import os, shutil, statistics, sys, time

generator, runs, top = sys.argv[1], int(sys.argv[2]), sys.argv[3]
unit = """[Unit]
Description=Container {0}
After=c0.container

[Container]
Image=registry.example/library/web:{0}
Environment=A=1 B=two C={0}
Volume=/srv/{0}:/data:ro
PublishPort={1}:80
Label=app=web{0}
Exec=serve --quiet 'two words'

[Service]
Restart=always

[Install]
WantedBy=default.target
"""


def run(units, out):
    began = time.perf_counter()
    pid = os.posix_spawn(generator, [generator, "-user", "-no-kmsg-log", out], {"QUADLET_UNIT_DIRS": units})
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit("the generator failed")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def peak(pid):
    """The most memory that a process has held, in kB: asked while it is a zombie is too late, so it is asked for all along."""
    most = 0
    while True:
        try:
            with open("/proc/%d/status" % pid) as f:
                for line in f:
                    if line.startswith("VmHWM"):
                        most = max(most, int(line.split()[1]))
        except OSError:
            return most
        if os.waitpid(pid, os.WNOHANG)[0]:
            return most


print("%6s %9s %9s %9s %12s %8s" % ("units", "best ms", "median ms", "CPU ms", "us per unit", "kB"))
for n in (1, 100, 1000, 5000):
    units = os.path.join(top, "units")
    os.mkdir(units)
    for i in range(n):
        with open(os.path.join(units, "c%d.container" % i), "w") as f:
            f.write(unit.format(i, 1024 + i))
    times = []
    for i in range(runs):
        out = os.path.join(top, "out%d" % i)
        os.mkdir(out)
        times.append(run(units, out))
        shutil.rmtree(out)
    memory = 0
    for _ in range(9 if n < 1000 else 2):  # who is quick is not always asked late enough
        out = os.path.join(top, "out")
        os.mkdir(out)
        memory = max(memory, peak(os.posix_spawn(generator, [generator, "-user", "-no-kmsg-log", out], {"QUADLET_UNIT_DIRS": units})))
        shutil.rmtree(out)
    shutil.rmtree(units)
    walls, cpus = [t[0] * 1e3 for t in times], [t[1] * 1e3 for t in times]
    best, median, cpu = min(walls), statistics.median(walls), min(cpus)
    print("%6d %9.2f %9.2f %9.2f %12.1f %8d" % (n, best, median, cpu, best * 1e3 / n, memory))
END
