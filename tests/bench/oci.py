#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures OCI runtimes in paired rounds, as bench.py does: oci.py DIR RUNTIME [OPTION...]; oci.sh prepares DIR and starts it.

CPU is what the whole cgroup of this host used, containers and what the runtimes leave to do after they returned included, less
this script. Every runtime gets the same bundle, and makes a cgroup of the container's own, but where it says.
"""
import argparse
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from bench import interval, pressure

DISCARDED = 2
NULL = os.open('/dev/null', os.O_RDWR)
PR_SET_CHILD_SUBREAPER = 36
V1 = '/sys/fs/cgroup/cpuacct/cpuacct.usage'


def cpu():
    """Seconds that everything on this host used, but for this script."""
    own = time.process_time_ns()
    if os.path.exists(V1):
        with open(V1) as f:
            return (int(f.read()) - own) / 1e9
    with open('/sys/fs/cgroup/cpu.stat') as f:
        return (int(f.readline().split()[1]) * 1000 - own) / 1e9


class Bench:
    def __init__(self, directory, options):
        self.dir, self.options, self.count = directory, options, 0
        self.errors = os.open(f'{directory}/errors', os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self.rootfs = f'{directory}/rootfs'
        os.makedirs(f'{self.rootfs}/bin')
        for name in ('proc', 'dev', 'sys', 'tmp', 'etc'):
            os.mkdir(f'{self.rootfs}/{name}')
        shutil.copy('/bin/busybox', f'{self.rootfs}/bin/busybox')
        shutil.copy(f'{directory}/true', f'{self.rootfs}/bin/true')
        os.symlink('busybox', f'{self.rootfs}/bin/sleep')
        subprocess.run(['gcc', '-O2', '-static', '-o', f'{directory}/peak', os.path.join(os.path.dirname(__file__), 'peak.c')], check=True)
        with open(f'{directory}/podman.json') as f:
            self.seccomp = json.load(f)['linux']['seccomp']
        subprocess.run(['runc', 'spec'], cwd=directory, check=True)
        with open(f'{directory}/config.json') as f:
            self.spec = json.load(f)
        self.spec['root'] = {'path': self.rootfs, 'readonly': True}
        self.spec['process']['terminal'] = False
        del self.spec['linux']['resources']

    def bundle(self, name, args, seccomp, memory=None):
        """A bundle of runc's own example, with these words, and podman's profile or none."""
        spec = json.loads(json.dumps(self.spec))
        spec['process']['args'] = args
        if seccomp:
            spec['linux']['seccomp'] = self.seccomp
        if memory:
            spec['linux']['resources'] = {'memory': {'limit': memory}}
        path = f'{self.dir}/{name}'
        os.makedirs(path, exist_ok=True)
        with open(f'{path}/config.json', 'w') as f:
            json.dump(spec, f)
        return path

    def id(self):
        self.count += 1
        return f'c{self.count}'

    def call(self, *argv):
        """Runs a runtime to its end, which has to be a good one."""
        pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[
            (os.POSIX_SPAWN_DUP2, NULL, 0), (os.POSIX_SPAWN_DUP2, NULL, 1), (os.POSIX_SPAWN_DUP2, self.errors, 2)])
        _, status = os.waitpid(pid, 0)
        if status:
            with open(f'{self.dir}/errors') as f:
                sys.stderr.write(f.read()[-1000:])
            raise SystemExit(f'oci: {" ".join(argv)} ended with {os.waitstatus_to_exitcode(status)}')

    def succeeds(self, *argv):
        """The same where it may fail, or hang: nothing of it is left."""
        try:
            done = subprocess.run(argv, stdin=NULL, stdout=NULL, stderr=self.errors, timeout=3).returncode == 0
        except subprocess.TimeoutExpired:
            done = False
        with open(f'/proc/self/task/{os.getpid()}/children') as f:
            for pid in map(int, f.read().split()):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        return done

    def reap(self, pidfile):
        """Waits for a container's first process: it is ours when its runtime has ended."""
        with open(pidfile) as f:
            os.waitpid(int(f.read()), 0)

    def rounds(self, title, calls):
        """Calls each of {name: function} in rounds, the first of them ours; prints a table."""
        names = list(calls)
        samples = {name: [] for name in names}
        for i in range(self.options.rounds + DISCARDED):
            for j in range(len(names)):
                name = names[(i + j) % len(names)]
                used, start = cpu(), time.monotonic()
                calls[name]()
                wall, used = time.monotonic() - start, cpu() - used
                if i >= DISCARDED:
                    samples[name].append((wall, used))
        print(f'\n{title}: {self.options.rounds} rounds; CPU pressure {pressure()}')
        print(f'  {"":26} {"wall ms":>20} {"best":>7} {"CPU ms":>20} {"best":>7} {"wall / ours":>20} {"CPU / ours":>20}')
        for name in names:
            cells = []
            for k in (0, 1):
                median, low, high = interval([s[k] * 1e3 for s in samples[name]])
                cells += [f'{median:.2f} ({low:.1f}-{high:.1f})', f'{min(s[k] for s in samples[name]) * 1e3:.2f}']
            for k in (0, 1):
                median, low, high = interval([s[k] / max(o[k], 1e-6) for s, o in zip(samples[name], samples[names[0]])])
                cells.append(f'{median:.2f} ({low:.2f}-{high:.2f})' if name != names[0] else '')
            print(f'  {name:26} {cells[0]:>20} {cells[1]:>7} {cells[2]:>20} {cells[3]:>7} {cells[4]:>20} {cells[5]:>20}', flush=True)


def each(bench, function):
    return {name: lambda argv=argv: function(argv) for name, argv in bench.runtimes.items()}


def run(bench):
    for title, seccomp in (("podman's default seccomp profile", True), ('no seccomp', False)):
        path = bench.bundle('run', ['/bin/true'], seccomp)
        bench.rounds(f'run, {title}', each(bench, lambda argv: bench.call(*argv, 'run', '-b', path, bench.id())))
        bench.rounds(f'run without a cgroup, {title}', {
            name: lambda argv=argv: bench.call(*argv, '--cgroup-manager=disabled', 'run', '-b', path, bench.id())
            for name, argv in bench.runtimes.items() if name != 'runc'})  # it has no such option


def life(bench):
    def steps(argv, path):
        name, pidfile = bench.id(), f'{bench.dir}/pid'
        bench.call(*argv, 'create', '-b', path, '--pid-file', pidfile, name)
        bench.call(*argv, 'start', name)
        bench.reap(pidfile)
        bench.call(*argv, 'delete', name)
    for title, seccomp in (("podman's default seccomp profile", True), ('no seccomp', False)):
        path = bench.bundle('life', ['/bin/true'], seccomp)
        bench.rounds(f'create, start, delete, {title}', each(bench, lambda argv: steps(argv, path)))


def detached(bench, argv, path):
    name, pidfile = bench.id(), f'{bench.dir}/pid'
    bench.call(*argv, 'run', '-d', '-b', path, '--pid-file', pidfile, name)
    with open(pidfile) as f:
        return name, int(f.read())


def end(bench, argv, containers):
    for name, pid in containers:
        bench.call(*argv, 'delete', '-f', name)
        os.waitpid(pid, 0)


def execute(bench):
    for title, seccomp in (("podman's default seccomp profile", True), ('no seccomp', False)):
        path = bench.bundle('exec', ['/bin/sleep', '10000'], seccomp)
        boxes = {name: detached(bench, argv, path) for name, argv in bench.runtimes.items()}
        bench.rounds(f'exec CONTAINER true, {title}', {
            name: lambda name=name, argv=argv: bench.call(*argv, 'exec', boxes[name][0], '/bin/true') for name, argv in bench.runtimes.items()})
        for name, argv in bench.runtimes.items():
            end(bench, argv, [boxes[name]])


def others(known):
    """Resident memory, in kB, of processes that are neither known nor a container's first one: who looks after containers?"""
    total = 0
    for pid in os.listdir('/proc'):
        try:
            if pid.isdigit() and int(pid) not in known:
                with open(f'/proc/{pid}/smaps_rollup') as f:
                    total += next(int(line.split()[1]) for line in f if line.startswith('Rss:'))
        except (OSError, StopIteration):
            pass
    return total


def many(bench):
    count, path = bench.options.many, bench.bundle('many', ['/bin/sleep', '10000'], True)
    quick = bench.bundle('quick', ['/bin/true'], True)
    print(f'\n{count} containers, podman\'s default seccomp profile; CPU pressure {pressure()}')
    print(f'  {"":26} {"start wall s":>13} {"start CPU s":>12} {"run CPU ms at 0":>16} {"at all":>8} {"list CPU ms":>12} {"end CPU s":>10} {"left kB":>8}')
    for name, argv in bench.runtimes.items():
        def timed(*words):
            used = cpu()
            bench.call(*argv, *words)
            return (cpu() - used) * 1e3
        before = {int(pid) for pid in os.listdir('/proc') if pid.isdigit()}
        first = sorted(timed('run', '-b', quick, bench.id()) for _ in range(11))[5]
        used, start = cpu(), time.monotonic()
        containers = [detached(bench, argv, path) for _ in range(count)]
        started, wall = cpu() - used, time.monotonic() - start
        then = sorted(timed('run', '-b', quick, bench.id()) for _ in range(11))[5]
        listed = sorted(timed('list') for _ in range(5))[2]
        left = others(before | {pid for _, pid in containers})
        used = cpu()
        end(bench, argv, containers)
        print(f'  {name:26} {wall:13.2f} {started:12.2f} {first:16.2f} {then:8.2f} {listed:12.2f} {cpu() - used:10.2f} {left:8}', flush=True)


def memory(bench):
    print('\npeak resident memory, kB, of one process (median of 5), and the least memory limit with which `true` runs three times of three')
    print(f'  {"":26} {"run":>8} {"+ seccomp":>10} {"create":>8} {"exec":>8} {"least KiB":>10} {"+ seccomp":>10}')
    for name, argv in bench.runtimes.items():
        def peak(*words):
            bench.call(f'{bench.dir}/peak', f'{bench.dir}/size', *argv, *words)
            with open(f'{bench.dir}/size') as f:
                return int(f.read())

        def middle(function):
            return sorted(function() for _ in range(5))[2]
        plain, shielded = bench.bundle('plain', ['/bin/true'], False), bench.bundle('shielded', ['/bin/true'], True)
        cells = [middle(lambda path=path: peak('run', '-b', path, bench.id())) for path in (plain, shielded)]
        sleeping = bench.bundle('sleeping', ['/bin/sleep', '10000'], True)

        def creates():
            box, pidfile = bench.id(), f'{bench.dir}/pid'
            size = peak('create', '-b', sleeping, '--pid-file', pidfile, box)
            with open(pidfile) as f:
                end(bench, argv, [(box, int(f.read()))])
            return size
        cells.append(middle(creates))
        box = detached(bench, argv, sleeping)
        cells.append(middle(lambda: peak('exec', box[0], '/bin/true')))
        end(bench, argv, [box])
        cells += [least(bench, argv, seccomp) for seccomp in (False, True)]
        print(f'  {name:26} {cells[0]:8} {cells[1]:10} {cells[2]:8} {cells[3]:8} {cells[4]:>10} {cells[5]:>10}', flush=True)


def least(bench, argv, seccomp):
    """By bisection, in steps of 16 KiB up to 32 MiB."""
    def enough(kib):
        path = bench.bundle('least', ['/bin/true'], seccomp, kib * 1024)
        for _ in range(3):
            name = bench.id()
            if not bench.succeeds(*argv, 'run', '-b', path, name):
                bench.succeeds(*argv, 'delete', '-f', name)
                return False
        return True
    low, high = 0, 2048
    if not enough(high * 16):
        return 'none'
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle * 16) else (middle, high)
    return high * 16


TABLES = {'run': run, 'life': life, 'exec': execute, 'many': many, 'memory': memory}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('dir')
    parser.add_argument('runtime')
    parser.add_argument('--only', default=','.join(TABLES), help='of ' + ' '.join(TABLES))
    parser.add_argument('--rounds', type=int, default=31)
    parser.add_argument('--many', type=int, default=500)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    bench = Bench(options.dir, options)
    bench.runtimes = {'sdpod-oci': [options.runtime], 'crun': ['/usr/bin/crun'], 'runc': ['/usr/sbin/runc']}
    for more in os.environ.get('OCI_RUNTIMES', '').split():
        name, path = more.split('=', 1)
        bench.runtimes[name] = [path]
    for argv in bench.runtimes.values():
        said = subprocess.run([argv[0], '--version'], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        print(said[0] if said else argv[0])
    print(f'{os.cpu_count()} CPUs, Linux {os.uname().release}, CPU pressure {pressure()}', flush=True)
    for name in options.only.split(','):
        TABLES[name](bench)


if __name__ == '__main__':
    main()
