#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what the verbs take with 1, 10, 100 and 1000 containers in the store, in paired rounds with podman. Run as an ordinary
user; scale.sh prepares it. Wall and CPU time are taken as in bench.py, whose words these are.

The containers of both programs are made once and stay; of podman, which takes long with many, there are few rounds. Each of its
commands runs below timeout(1), whose millisecond is in its figures: a podman whose runtime was killed spins for ever.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

import bench

SLEEPER = ['sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait']
NETWORK = ['--network', 'none']
LINE = 'x' * 60


class Program:
    def __init__(self, name, path, rounds):
        self.name, self.path, self.rounds, self.made = name, path, rounds, 0
        self.argv = ['/usr/bin/timeout', '-k', '5', '300', path] if name == 'podman' else [path]

    def run(self, *words):
        """Not measured."""
        subprocess.run([*self.argv, *words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def text(self, *words):
        return bench.capture(*self.argv, *words).split()

    def fill(self, count):
        while self.made < count:
            self.run('create', '--name', f's{self.made}', *NETWORK, bench.IMAGE, 'true')
            self.made += 1

    def measure(self, *words):
        return bench.measure_run([*self.argv, *words])


def cell(samples):
    walls, cpus = [s[0] * 1e3 for s in samples], [s[1] * 1e3 for s in samples]
    return min(walls), min(cpus), statistics.median(cpus)


def row(title, samples):
    """samples: {program: [(wall, CPU)]}"""
    line = f'  {title:34}'
    cells = {name: cell(of) for name, of in samples.items() if of}
    for name in ('sdpod', 'podman'):
        line += f'{cells[name][0]:11.2f} {cells[name][1]:11.2f} {cells[name][2]:11.2f}' if name in cells else ' ' * 35
    if 'podman' in cells and 'sdpod' in cells:
        line += f'{cells["podman"][0] / cells["sdpod"][0]:9.1f} {cells["podman"][1] / max(cells["sdpod"][1], 1e-3):9.1f}'
    print(line, flush=True)
    return cells


def head(title):
    print(f'\n{title}; CPU pressure {bench.pressure()}')
    print(f'  {"ms":34}{"sdpod: wall":>11} {"CPU, best":>11} {"median":>11}{"podman":>11} {"CPU, best":>11} {"median":>11}{"wall":>9} {"CPU":>9}')


def rounds(programs, words, before=None):
    """{program: samples} of one command line, the programs in turn. `before` is done unmeasured for each."""
    samples = {p.name: [] for p in programs}
    for i in range(max(p.rounds for p in programs) + 1):
        for p in programs:
            if i > p.rounds:
                continue
            if before:
                before(p)
            sample = p.measure(*(words(p) if callable(words) else words))
            if i > 0:
                samples[p.name].append(sample)
    return samples


def table_verbs(programs, counts):
    first = {}
    for count in counts:
        for p in programs:
            p.fill(count)
        head(f'{count} containers')
        row('ps -a', rounds(programs, ['ps', '-a']))
        row('ps', rounds(programs, ['ps']))
        row('inspect, one', rounds(programs, ['inspect', 's0']))
        row('inspect, all', rounds(programs, lambda p: ['inspect', *[f's{i}' for i in range(p.made)]]))
        cells = row('run --rm, true', rounds(programs, ['run', '--rm', *NETWORK, bench.IMAGE, 'true']))
        for name, values in cells.items():
            first.setdefault(name, values)
            print(f'    {name}: against {counts[0]} container(s): wall {values[0] / first[name][0]:.2f}, CPU {values[1] / first[name][1]:.2f}')
        for p in programs:
            p.run('run', '-d', '--name', 'busy', *NETWORK, bench.IMAGE, *SLEEPER)
        row('exec, true', rounds(programs, ['exec', 'busy', 'true']))
        if not subprocess.run([*programs[0].argv, 'stats', '--help'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            row('stats --no-stream, one running', rounds(programs, ['stats', '--no-stream', 'busy']))
        for p in programs:
            p.run('rm', '-f', '-t', '0', 'busy')
        start = lambda p: p.run('run', '-d', '--name', 'stopped', *NETWORK, bench.IMAGE, *SLEEPER)
        row('stop, which obeys', rounds(programs, ['stop', 'stopped'], lambda p: (p.run('rm', '-f', '-t', '0', '-i', 'stopped'), start(p))))
        for p in programs:
            p.run('rm', '-f', 'stopped')
        row('rm, of one that has run', rounds(programs, ['rm', 'ran'], lambda p: p.run('run', '--name', 'ran', *NETWORK, bench.IMAGE, 'true')))


def table_slope(programs, counts):
    """What a run takes beside many, in the same rounds as beside one: sdpod's alone, with a second store."""
    many = programs[0]
    few = Program('few', many.path, many.rounds)
    few.argv = [many.path, '--root', f'{bench.HOME}/few', '--runroot', f'{os.environ["XDG_RUNTIME_DIR"]}/few']
    few.run('load', '-q', '-i', f'{bench.HOME}/busybox.tar')
    few.fill(1)
    many.made = len(many.text('ps', '-aq', '--filter', 'name=^s[0-9]'))
    many.fill(counts[-1])
    many.name = 'many'
    print(f'\nBeside {counts[-1]} containers and beside one, in turn; CPU pressure {bench.pressure()}')
    for title, words in (('run --rm, true', ['run', '--rm', *NETWORK, bench.IMAGE, 'true']), ('ps', ['ps']), ('inspect, one', ['inspect', 's0'])):
        samples = rounds([many, few], words)
        for k, what in ((0, 'wall'), (1, 'CPU')):
            ratios = [a[k] / b[k] for a, b in zip(samples['many'], samples['few'])]
            middle, low, high = bench.interval(ratios)
            best = [min(s[k] for s in samples[name]) * 1e3 for name in ('many', 'few')]
            print(f'  {title:24}{what:5} best {best[0]:8.2f} and {best[1]:8.2f} ms, ratio of these {best[0] / best[1]:.2f}, '
                  f'of the rounds {middle:.2f} ({low:.2f}-{high:.2f})', flush=True)
    many.name = 'sdpod'
    few.run('rm', '-fa')


def table_start(programs, _counts):
    head('Several at once')
    names = [f'many{i}' for i in range(20)]

    def make(p):
        p.run('rm', '-f', '-t', '0', '-i', *names)
        for name in names:
            p.run('create', '--name', name, *NETWORK, bench.IMAGE, *SLEEPER)

    def started(p):
        make(p)
        p.run('start', *names)

    bench.LEFTOVERS.discard('conmon') # one stays for each container that runs
    row('start of 20', rounds(programs, ['start', *names], make))
    bench.LEFTOVERS.add('conmon')
    row('stop of 20', rounds(programs, ['stop', *names], started))
    row('rm -f of 20 that run', rounds(programs, ['rm', '-f', *names], started))
    for p in programs:
        p.run('rm', '-f', '-i', *names)


def table_logs(programs, _counts):
    head('Logs, k8s-file')
    for p in programs:
        for name, size in (('log100', 100_000_000), ('log1', 1_000_000)):
            p.run('run', '--name', name, *NETWORK, '--log-driver', 'k8s-file', '--log-opt', 'max-size=400m', bench.IMAGE,
                  'sh', '-c', f'yes {LINE} | head -c {size}')
    row('logs of 100 MB', rounds(programs, ['logs', 'log100']))
    row('logs -t of 100 MB', rounds(programs, ['logs', '-t', 'log100']))
    row('logs --since, the last of 100 MB', rounds(programs, ['logs', '--since', '2100-01-01T00:00:00Z', 'log100']))
    row('logs --tail 10 of 100 MB', rounds(programs, ['logs', '--tail', '10', 'log100']))
    row('logs --tail 10 of 1 MB', rounds(programs, ['logs', '--tail', '10', 'log1']))
    for p in programs:
        p.run('rm', 'log100', 'log1')


def table_store(programs, _counts):
    """Other objects, many of them; the containers of table_verbs are there, too."""
    for p in programs:
        for i in range(50):
            p.run('tag', bench.IMAGE, f'localhost/tag{i}')
        for i in range(200):
            p.run('volume', 'create', f'v{i}')
    head(f'50 names of an image, 200 volumes, {programs[0].made} containers')
    row('images', rounds(programs, ['images']))
    row('volume ls', rounds(programs, ['volume', 'ls']))
    row('system df', rounds(programs, ['system', 'df']))
    for title, words in (('container prune', ['container', 'prune', '-f']), ('volume prune', ['volume', 'prune', '-f'])):
        row(title, {p.name: [p.measure(*words)] for p in programs})
    for p in programs:
        p.made = 0
        p.run('rmi', *[f'localhost/tag{i}' for i in range(50)])


def table_remove(programs, _counts):
    """2000 that have ended and 300 that run and ignore SIGTERM. sdpod's alone: podman takes about a second for each."""
    p = programs[0]
    start = time.monotonic()
    for i in range(300):
        p.run('run', '-d', '--name', f'up{i}', *NETWORK, bench.IMAGE, 'sleep', '100000')
    print(f'\n300 started in {time.monotonic() - start:.1f} s, one after the other; CPU pressure {bench.pressure()}')
    for i in range(2000):
        p.run('run', '--name', f'ended{i}', *NETWORK, bench.IMAGE, 'true')
    head('300 running, 2000 ended')
    for words in (['ps'], ['ps', '-a'], ['run', '--rm', *NETWORK, bench.IMAGE, 'true'], ['exec', 'up0', 'true']):
        row(' '.join(words[:2]), rounds([p], words))
    monitor = [pid for pid, name in bench.processes().items() if name == 'sdpod-monitor']
    print(f'  sdpod-monitor: {bench.memory_of(monitor[0]) if monitor else "none"} kB (RSS, PSS, private)')
    row('rm -fa', {p.name: [p.measure('rm', '-fa')]})
    left = p.text('ps', '-aq')
    print(f'  left: {len(left)}')


TABLES = {'verbs': table_verbs, 'slope': table_slope, 'start': table_start, 'logs': table_logs, 'store': table_store, 'remove': table_remove}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--only', default='', help='tables, joined by commas: ' + ' '.join(TABLES))
    parser.add_argument('--counts', default='1,10,100,1000')
    parser.add_argument('--rounds', type=int, default=15, help="sdpod's")
    parser.add_argument('--podman-rounds', type=int, default=3)
    parser.add_argument('--programs', default='sdpod,podman')
    arguments = parser.parse_args()
    os.makedirs(bench.HOME, exist_ok=True)
    bench.ERRORS = os.open(f'{bench.HOME}/errors', os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
    with open(f'{bench.HOME}/containers.conf', 'w') as f:
        f.write('[containers]\npids_limit = 0\nlog_driver = "k8s-file"\n')
    os.environ['CONTAINERS_CONF'] = f'{bench.HOME}/containers.conf'
    found = {name: path for name, path in bench.find_programs().items() if name in arguments.programs.split(',')}
    bench.prepare_images(found)
    programs = [Program(name, found[name], arguments.rounds if name == 'sdpod' else arguments.podman_rounds)
                for name in ('sdpod', 'podman') if name in found]
    if not programs or programs[0].name != 'sdpod':
        sys.exit('scale: there is no sdpod')
    with open('/proc/loadavg') as f:
        print(f'# load {f.read().strip()}; {os.cpu_count()} CPUs; Linux {os.uname().release}')
    for name in arguments.only.split(',') if arguments.only else TABLES:
        TABLES[name](programs, [int(c) for c in arguments.counts.split(',')])


if __name__ == '__main__':
    main()
