#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures container starts in paired rounds: every round runs each program once, in an order that turns, and a ratio is
taken inside the round, so that what slows the machine down slows all of them. Run as an ordinary user; run.sh prepares it.

Wall time is from the start of the program to its end. CPU is all that the user's whole slice of the cgroup tree used until
nothing of the run was left: double-forked supervisors, clean-up processes, network helpers and the user manager included.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time

IMAGE = 'localhost/busybox:latest'
ROUNDS, DISCARDED = 31, 2
NULL = os.open('/dev/null', os.O_RDWR)
CGROUP = f'/sys/fs/cgroup/user.slice/user-{os.getuid()}.slice'
HOME = os.path.expanduser('~/bench')
# what may stay of a run for a moment after the program has returned (sdpod-monitor is one for the user, and stays)
LEFTOVERS = {'podman', 'conmon', 'crun', 'bwrap', 'slirp4netns', 'rootlessport', 'sdpod', 'sdpod-net', 'exe'}


def cpu_usec():
    """What the slice used, without this script."""
    own = time.process_time_ns() // 1000
    with open(f'{CGROUP}/cpu.stat') as f:
        return int(f.readline().split()[1]) - own


def processes():
    """{pid: name} of the user's processes."""
    found = {}
    for pid in os.listdir('/proc'):
        try:
            if pid.isdigit() and os.stat(f'/proc/{pid}').st_uid == os.getuid():
                with open(f'/proc/{pid}/comm') as f:
                    found[int(pid)] = f.read().strip()
        except OSError:
            pass
    return found


def settle(before):
    """Waits until no process of a run is left that was not there before."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(name in LEFTOVERS and pid not in before for pid, name in processes().items()):
            return
        time.sleep(0.01)
    raise SystemExit(f'bench: something of the run does not end: {processes()}')


def spawn(argv, stdout=NULL):
    return os.posix_spawn(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, NULL, 0), (os.POSIX_SPAWN_DUP2, stdout, 1), (os.POSIX_SPAWN_DUP2, ERRORS, 2)])


def check(argv, status):
    if status != 0:
        with open(f'{HOME}/errors') as f:
            sys.stderr.write(f.read()[-2000:])
        raise SystemExit(f'bench: {" ".join(argv)} ended with {os.waitstatus_to_exitcode(status)}')


def measure_run(argv):
    """(wall seconds, CPU seconds of the whole tree)"""
    before, cpu = processes(), cpu_usec()
    start = time.monotonic()
    pid = spawn(argv)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - start
    check(argv, status)
    settle(before)
    return wall, (cpu_usec() - cpu) / 1e6


def measure_first_line(argv):
    """(seconds to the first byte of output, CPU)"""
    before, cpu = processes(), cpu_usec()
    ours, theirs = os.pipe()
    start = time.monotonic()
    pid = spawn(argv, stdout=theirs)
    os.close(theirs)
    data = os.read(ours, 1)
    wall = time.monotonic() - start
    os.close(ours)
    _, status, _ = os.wait4(pid, 0)
    check(argv, status)
    if not data:
        raise SystemExit(f'bench: {" ".join(argv)} printed nothing')
    settle(before)
    return wall, (cpu_usec() - cpu) / 1e6


def measure_hundred(argv):
    before, cpu = processes(), cpu_usec()
    start = time.monotonic()
    for _ in range(100):
        pid = spawn(argv)
        _, status, _ = os.wait4(pid, 0)
        check(argv, status)
    wall = time.monotonic() - start
    settle(before)
    return wall, (cpu_usec() - cpu) / 1e6


def interval(values):
    """The median and its 95 % bootstrap interval."""
    generator = random.Random(1)
    medians = sorted(statistics.median(generator.choices(values, k=len(values))) for _ in range(2000))
    return statistics.median(values), medians[50], medians[1949]


def pressure():
    """How often something waited for a CPU in the last ten seconds: above 20 % wall times say little."""
    try:
        with open('/proc/pressure/cpu') as f:
            return f.readline().split()[1].replace('avg10=', '') + ' %'
    except OSError:
        return 'not known'


def bench(title, programs, measure, rounds, scale=1e3, unit='ms'):
    """Runs the programs ({name: argv}, sdpod first where it is) in rounds and prints one table."""
    names = list(programs)
    samples = {name: [] for name in names}
    for i in range(rounds + DISCARDED):
        for j in range(len(names)):
            name = names[(i + j) % len(names)]
            sample = measure(programs[name])
            if i >= DISCARDED:
                samples[name].append(sample)
    print(f'\n{title}: {rounds} rounds; CPU pressure {pressure()}')
    print(f'  {"":24} {"wall " + unit:>22} {"best":>8} {"CPU " + unit:>22} {"wall / ours":>20} {"best":>6} {"CPU / ours":>20}')
    ours = samples[names[0]]
    for name in names:
        cells = []
        for k in (0, 1):
            median, low, high = interval([s[k] * scale for s in samples[name]])
            cells.append(f'{median:.2f} ({low:.1f}-{high:.1f})')
        best = [min(s[0] for s in of) * scale for of in (samples[name], ours)]
        ratios = ['', '', '']
        if name != names[0]:
            for k in (0, 1):
                median, low, high = interval([s[k] / max(o[k], 1e-6) for s, o in zip(samples[name], ours)])
                ratios[2 * k] = f'{median:.2f} ({low:.2f}-{high:.2f})'
            ratios[1] = f'{best[0] / best[1]:.2f}'
        print(f'  {name:24} {cells[0]:>22} {best[0]:8.2f} {cells[1]:>22} {ratios[0]:>20} {ratios[1]:>6} {ratios[2]:>20}', flush=True)
    return samples


# ------------------------------------------------------------------------------------------------------------- programs

def capture(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True).stdout


def prepare_images(programs):
    archive = f'{HOME}/busybox.tar'
    if not os.path.exists(archive):
        subprocess.run(['python3', os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib/image.py'), 'busybox', archive,
                        'oci-archive', 'gzip'], check=True)
    for name in ('sdpod', 'podman'):
        if name in programs:
            subprocess.run([programs[name], 'load', '-q', '-i', archive], check=True, stdout=subprocess.DEVNULL)


def prepare_rootfs():
    """An unpacked busybox for the programs that have no images."""
    root = f'{HOME}/rootfs'
    if not os.path.exists(root):
        for d in ('bin', 'proc', 'dev', 'sys', 'tmp', 'etc'):
            os.makedirs(f'{root}/{d}', exist_ok=True)
        shutil.copy('/bin/busybox', f'{root}/bin/busybox')
        for name in ('sh', 'true', 'sleep', 'echo'):
            os.symlink('busybox', f'{root}/bin/{name}')
    return root


def runtime_profile(caps):
    """Podman's default seccomp profile in the form of the runtime-spec, for one set of capabilities."""
    with open('/usr/share/containers/seccomp.json') as f:
        profile = json.load(f)
    rules = []
    for rule in profile['syscalls']:
        includes, excludes = rule.get('includes') or {}, rule.get('excludes') or {}
        if includes.get('arches') and 'amd64' not in includes['arches']:
            continue
        if not set(includes.get('caps') or ()) <= caps or set(excludes.get('caps') or ()) & caps:
            continue
        one = {'names': rule['names'], 'action': rule['action'], 'args': rule.get('args') or []}
        if rule.get('errnoRet') is not None:
            one['errnoRet'] = rule['errnoRet']
        rules.append(one)
    return {'defaultAction': profile['defaultAction'], 'defaultErrnoRet': 38,
            'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'], 'syscalls': rules}


def prepare_bundle(name, seccomp, command):
    """A bundle as podman would hand it to crun: two mapped ranges, eleven capabilities, the default profile."""
    bundle = f'{HOME}/{name}'
    os.makedirs(bundle, exist_ok=True)
    if os.path.exists(f'{bundle}/config.json'):
        os.unlink(f'{bundle}/config.json')
    subprocess.run(['crun', 'spec', '--rootless'], cwd=bundle, check=True)
    with open(f'{bundle}/config.json') as f:
        config = json.load(f)
    caps = ['CAP_' + c for c in ('CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID',
                                 'SETPCAP', 'SETUID', 'SYS_CHROOT')]
    first = {kind: next(line.split(':')[1:] for line in open(f'/etc/{kind}') if line.startswith(os.environ['USER'] + ':'))
             for kind in ('subuid', 'subgid')}
    config['root'] = {'path': prepare_rootfs(), 'readonly': False}
    config['process'].update(args=command, terminal=False, noNewPrivileges=False,
                             capabilities={k: caps for k in ('bounding', 'effective', 'permitted')})
    config['linux']['uidMappings'] = [{'containerID': 0, 'hostID': os.getuid(), 'size': 1},
                                      {'containerID': 1, 'hostID': int(first['subuid'][0]), 'size': int(first['subuid'][1])}]
    config['linux']['gidMappings'] = [{'containerID': 0, 'hostID': os.getgid(), 'size': 1},
                                      {'containerID': 1, 'hostID': int(first['subgid'][0]), 'size': int(first['subgid'][1])}]
    config['linux']['namespaces'] = [{'type': t} for t in ('pid', 'network', 'ipc', 'uts', 'mount', 'user', 'cgroup')]
    config['linux'].pop('resources', None)
    if seccomp:
        config['linux']['seccomp'] = runtime_profile(set(caps))
    with open(f'{bundle}/config.json', 'w') as f:
        json.dump(config, f)
    return bundle


def find_programs():
    found = {}
    for name in ('sdpod', 'podman', 'crun', 'bwrap'):
        path = shutil.which(name)
        if path:
            found[name] = path
        else:
            print(f'# {name} is not installed: left out')
    for name, argv in (('sdpod', ['version']), ('podman', ['--version']), ('crun', ['--version']), ('bwrap', ['--version'])):
        if name in found:
            print(f'# {name}: {" ".join(capture(found[name], *argv).split()[:6])}')
    return found


def start_commands(programs, command, network_none=True):
    """{title: argv} of all that can start `command`, ours first."""
    commands = {}
    network = ['--network', 'none'] if network_none else []
    for name in ('sdpod', 'podman'):
        if name in programs:
            commands[f'{name} run'] = [programs[name], 'run', '--rm', *network, IMAGE, *command]
    if not network_none:
        return commands
    if 'crun' in programs:
        for title, secure in (('crun run', True), ('crun run, no seccomp', False)):
            bundle = prepare_bundle('secure' if secure else 'open', secure, ['/bin/' + command[0], *command[1:]])
            commands[title] = [programs['crun'], '--cgroup-manager=disabled', 'run', '-b', bundle, 'bench']
    if 'bwrap' in programs:
        commands['bwrap --unshare-all'] = [programs['bwrap'], '--unshare-all', '--bind', prepare_rootfs(), '/', '--proc', '/proc',
                                           '--dev', '/dev', '/bin/' + command[0], *command[1:]]
    return commands


# ------------------------------------------------------------------------------------------------------------ the tables

def bench_run(programs, rounds):
    bench('run --rm --network none, true', start_commands(programs, ['true']), measure_run, rounds)


def bench_network(programs, rounds):
    bench('run --rm with the default network, true', start_commands(programs, ['true'], network_none=False), measure_run, rounds)


def bench_hundred(programs, rounds):
    commands = start_commands(programs, ['true'])
    commands.pop('crun run, no seccomp', None)
    bench('100 times run --rm --network none, true, in a row', commands, measure_hundred, max(3, rounds // 10))


def bench_first_line(programs, rounds):
    commands = start_commands(programs, ['echo', 'hello'])
    commands.pop('crun run, no seccomp', None)
    bench('start to the first line of output', commands, measure_first_line, rounds)


def bench_scale(programs, rounds):
    """The time of a run while other containers exist; pairs are of the same program with one and with N."""
    for name in ('sdpod', 'podman'):
        if name not in programs:
            continue
        argv, rows, made = start_commands(programs, ['true'])[f'{name} run'], [], 0
        for count in (1, 100, 1000) if name == 'sdpod' else (1, 100):
            while made < count:
                check(['create'], os.waitpid(spawn([programs[name], 'create', '--name', f'scale{made}', '--network', 'none', IMAGE, 'true']), 0)[1])
                made += 1
            samples = [measure_run(argv) for _ in range(rounds + DISCARDED)][DISCARDED:]
            rows.append((count, interval([s[0] * 1e3 for s in samples]), interval([s[1] * 1e3 for s in samples])))
        print(f'\n{name} run --rm --network none, with N containers there: {rounds} runs each')
        for count, wall, cpu in rows:
            print(f'  {count:5}  wall {wall[0]:8.2f} ms ({wall[1]:.1f}-{wall[2]:.1f})  CPU {cpu[0]:8.2f} ms ({cpu[1]:.1f}-{cpu[2]:.1f})  '
                  f'wall / first {wall[0] / rows[0][1][0]:.2f}  CPU / first {cpu[0] / rows[0][2][0]:.2f}', flush=True)
        names = [f'scale{i}' for i in range(made)]
        for i in range(0, made, 100):
            subprocess.run([programs[name], 'rm', '-f', *names[i:i + 100]], check=True, stdout=subprocess.DEVNULL)


def memory_of(pid):
    """(RSS, PSS, private) in kB; PSS and private are None where the process does not let itself be read."""
    values = {}
    try:
        with open(f'/proc/{pid}/smaps_rollup') as f:
            for line in f.readlines()[1:]:
                key, value = line.split(':')
                values[key] = int(value.split()[0])
        return values['Rss'], values['Pss'], values['Private_Clean'] + values['Private_Dirty']
    except OSError:
        with open(f'/proc/{pid}/status') as f:
            for line in f:
                if line.startswith('VmRSS:'):
                    return int(line.split()[1]), None, None
    return 0, None, None


def bench_memory(programs, _rounds):
    """What stays for running containers besides their own processes."""
    print('\nResident memory of what a running container keeps alive (kB, whole process; the container itself left out)')
    print(f'  {"":34} {"processes":>40} {"RSS":>8} {"PSS":>8} {"private":>8}')
    for name in ('sdpod', 'podman'):
        for network, count in ((['--network', 'none'], 1), (['--network', 'none'], 10), ([], 1)):
            if name not in programs:
                continue
            before = processes()
            for i in range(count):
                argv = [programs[name], 'run', '-d', '--name', f'memory{i}', *network, IMAGE, 'sleep', '1000']
                check(argv, os.waitpid(spawn(argv), 0)[1])
            time.sleep(1)
            kept = {pid: comm for pid, comm in processes().items()
                    if (pid not in before or (name == 'sdpod' and comm == 'sdpod-monitor')) and comm not in ('sleep', 'busybox', '(sd-pam)')}
            rows = [memory_of(pid) for pid in kept]
            total = [sum(row[k] or 0 for row in rows) for k in range(3)]
            names = ' '.join(f'{sum(c == comm for c in kept.values())}x{comm}' for comm in sorted(set(kept.values())))
            title = f'{name} run -d, {count} x {"none" if network else "default network"}'
            mark = '' if all(row[1] is not None for row in rows) else ' (some not readable)'
            print(f'  {title:34} {names or "none":>40} {total[0]:8} {total[1]:8} {total[2]:8}{mark}', flush=True)
            subprocess.run([programs[name], 'rm', '-f', '-t', '0', *[f'memory{i}' for i in range(count)]], check=True, stdout=subprocess.DEVNULL)
            settle(before | kept)


TABLES = {'run': bench_run, 'network': bench_network, 'first-line': bench_first_line, 'hundred': bench_hundred, 'scale': bench_scale,
          'memory': bench_memory}


def main():
    global ERRORS
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=ROUNDS)
    parser.add_argument('--only', default='', help='tables, joined by commas: ' + ' '.join(TABLES))
    parser.add_argument('--programs', default='', help='leave out all but these, joined by commas')
    parser.add_argument('--loaded', action='store_true', help='the image is in both stores already')
    arguments = parser.parse_args()
    os.makedirs(HOME, exist_ok=True)
    ERRORS = os.open(f'{HOME}/errors', os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
    # podman's default asks for a pids limit and then refuses to start where the controller is in cgroup v1
    with open(f'{HOME}/containers.conf', 'w') as f:
        f.write('[containers]\npids_limit = 0\n')
    os.environ['CONTAINERS_CONF'] = f'{HOME}/containers.conf'
    programs = find_programs()
    if arguments.programs:
        programs = {name: path for name, path in programs.items() if name in arguments.programs.split(',')}
    if not arguments.loaded:
        prepare_images(programs)
    with open('/proc/loadavg') as f:
        print(f'# load {f.read().strip()}; {os.cpu_count()} CPUs; Linux {os.uname().release}')
    for name in arguments.only.split(',') if arguments.only else TABLES:
        TABLES[name](programs, arguments.rounds)


if __name__ == '__main__':
    main()
