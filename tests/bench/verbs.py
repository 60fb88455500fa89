#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what each everyday verb takes in a store with 300 containers, 100 images, 50 volumes and 20 networks, in rounds with podman. Run
as an ordinary user; verbs.sh prepares it. Wall and CPU time are taken as in bench.py. Beside them stands what does not depend on how
busy the machine is: how many system calls, processes, programs and syncs one more run took (strace -f -c), of sdpod's own processes; what
the monitor and the user manager do for it is in the CPU time alone."""
import argparse
import io
import os
import statistics
import subprocess
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench  # noqa: E402
from scale import LINE, NETWORK, SLEEPER, Program  # noqa: E402

FILES = f'{bench.HOME}/files'
SYNCS, FORKS = {'fsync', 'fdatasync', 'syncfs', 'sync'}, {'clone', 'clone3', 'fork', 'vfork'}
ROWS = []  # (table, title, words, before)


def rows(table, *entries):
    """Each (title, words or a function of the program, what is done unmeasured before each)."""
    ROWS.extend((table, *entry) if len(entry) == 3 else (table, *entry, None) for entry in entries)


def again(*words):
    """A container by the name `one`, made anew by these words."""
    def prepare(p):
        p.run('rm', '-f', '-t', '0', '-i', 'one')
        if words:
            p.run(*words)
    return prepare


def after(*commands):
    def prepare(p):
        for command in commands:
            p.quiet(*(command(p) if callable(command) else command))
    return prepare


def gone(path):
    return lambda p: subprocess.run(['rm', '-rf', path], check=True)


NAMED = ['--name', 'one', *NETWORK, bench.IMAGE]
RUNNING = ['run', '-d', *NAMED, *SLEEPER]
ENDED = ['run', *NAMED, 'true']
POD = ['pod', 'create', '--name', 'cell', '--network', 'none']

rows('read',
     ('version', ['version']), ('info', ['info']), ('help', ['help']), ('ps', ['ps']), ('ps -a', ['ps', '-a']), ('ps -aq', ['ps', '-aq']),
     ('ps -a --filter name=', ['ps', '-a', '--filter', 'name=^s7$']), ('ps -a --format json', ['ps', '-a', '--format', 'json']),
     ('images', ['images']), ('images -q', ['images', '-q']), ('history', ['history', bench.IMAGE]), ('image inspect', ['image', 'inspect', bench.IMAGE]),
     ('image exists', ['image', 'exists', bench.IMAGE]), ('container exists', ['container', 'exists', 's7']), ('inspect', ['inspect', 's7']),
     ('volume ls', ['volume', 'ls']), ('volume inspect', ['volume', 'inspect', 'v7']), ('network ls', ['network', 'ls']),
     ('network inspect', ['network', 'inspect', 'n7']), ('pod ps', ['pod', 'ps']), ('port', ['port', 's7']), ('top', ['top', 'busy']),
     ('stats --no-stream', ['stats', '--no-stream', 'busy']), ('events', ['events', '--stream=false', '--since', '1m']),
     ('system df', ['system', 'df']), ('diff', ['diff', 'busy']), ('logs', ['logs', 'busy']), ('healthcheck run', ['healthcheck', 'run', 'sound']),
     ('complete a container', ['__complete', 'rm', '']), ('complete an image', ['__complete', 'run', '']), ('complete a flag', ['__complete', 'run', '--']),
     ('auto-update --dry-run', ['auto-update', '--dry-run']), ('wait, of an ended one', ['wait', 'ended']), ('volume prune, nothing', ['volume', 'prune', '-f', '--filter', 'label=none']),
     ('container prune, nothing', ['container', 'prune', '-f', '--filter', 'label=none']), ('image prune, nothing', ['image', 'prune', '-f', '--filter', 'label=none']),
     ('network prune, nothing', ['network', 'prune', '-f', '--filter', 'label=none']))
rows('life',
     ('create', ['create', *NAMED, 'true'], again()), ('start, of an ended one', ['start', 'one'], again(*ENDED)),
     ('run -d', RUNNING, again()), ('exec', ['exec', 'busy', 'true']), ('exec -d', ['exec', '-d', 'busy', 'true']), ('stop', ['stop', 'one'], again(*RUNNING)),
     ('kill', ['kill', 'one'], again(*RUNNING)), ('restart', ['restart', 'one'], again(*RUNNING)), ('rm', ['rm', 'one'], again(*ENDED)),
     ('rm, of a created one', ['rm', 'one'], again('create', *NAMED, 'true')), ('rm -f, of a running one', ['rm', '-f', 'one'], again(*RUNNING)),
     ('rename', ['rename', 'one', 'two'], after(['rm', '-f', '-i', 'one'], ['rm', '-f', '-i', 'two'], ENDED)),
     ('run --rm, default network', ['run', '--rm', bench.IMAGE, 'true'], again()), ('run --rm -p', ['run', '--rm', '-p', '18080:80', bench.IMAGE, 'true']),
     ('run --rm, bridge', ['run', '--rm', '--network', 'n7', bench.IMAGE, 'true']), ('run --rm -v', ['run', '--rm', *NETWORK, '-v', 'v7:/x', bench.IMAGE, 'true']),
     ('run --rm, another user', ['run', '--rm', *NETWORK, '--user', 'app', bench.IMAGE, 'true']),
     ('volume create', ['volume', 'create', 'new'], after(['volume', 'rm', '-f', 'new'])), ('volume rm', ['volume', 'rm', 'new'], after(['volume', 'rm', '-f', 'new'], ['volume', 'create', 'new'])),
     ('network create', ['network', 'create', 'new'], after(['network', 'rm', '-f', 'new'])), ('network rm', ['network', 'rm', 'new'], after(['network', 'rm', '-f', 'new'], ['network', 'create', 'new'])),
     ('pod create', POD, after(['pod', 'rm', '-f', 'cell'])), ('pod start', ['pod', 'start', 'cell'], after(['pod', 'rm', '-f', 'cell'], POD)),
     ('pod stop', ['pod', 'stop', 'cell'], after(['pod', 'rm', '-f', 'cell'], POD, ['pod', 'start', 'cell'])),
     ('pod rm', ['pod', 'rm', 'cell'], after(['pod', 'rm', '-f', 'cell'], POD)), ('tag', ['tag', bench.IMAGE, 'localhost/new']), ('untag', ['untag', bench.IMAGE, 'localhost/new'], after(['tag', bench.IMAGE, 'localhost/new'])),
     ('rmi', ['rmi', 'localhost/extra'], after(['import', f'{FILES}/extra.tar', 'localhost/extra'])))
rows('content',
     ('import', ['import', f'{FILES}/extra.tar', 'localhost/extra']),
     ('commit', ['commit', '-q', 'busy', 'localhost/committed'], after(['rmi', '-f', 'localhost/committed'])),
     ('commit of 1 GB', ['commit', '-q', 'full', 'localhost/committed'], after(['rmi', '-f', 'localhost/committed'])),
     ('diff of 2000 files', ['diff', 'full']), ('export of 1 GB', lambda p: ['export', '-o', f'{FILES}/{p.name}.export', 'full']),
     ('cp of a file, out', lambda p: ['cp', 'busy:/etc/passwd', f'{FILES}/{p.name}.passwd']), ('cp of a file, in', ['cp', f'{FILES}/extra.tar', 'busy:/root/']),
     ('cp of 2000 files, in', ['cp', f'{FILES}/tree', 'busy:/root/'], after(['exec', 'busy', 'rm', '-rf', '/root/tree'])),
     ('cp of 2000 files, out', lambda p: ['cp', 'full:/tree', f'{FILES}/{p.name}.tree'], lambda p: gone(f'{FILES}/{p.name}.tree')(p)),
     ('cp of 1 GB, in', ['cp', f'{FILES}/big', 'busy:/root/big'], after(['exec', 'busy', 'rm', '-f', '/root/big'])),
     ('cp of 1 GB, out', lambda p: ['cp', 'full:/big', f'{FILES}/{p.name}.big'], lambda p: gone(f'{FILES}/{p.name}.big')(p)),
     ('save', lambda p: ['save', '-q', '-o', f'{FILES}/{p.name}.tar', bench.IMAGE], lambda p: gone(f'{FILES}/{p.name}.tar')(p)),
     ('load, of what is there', ['load', '-q', '-i', f'{bench.HOME}/busybox.tar']))


class Measured(Program):
    def quiet(self, *words):
        subprocess.run([*self.argv, *words], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def counts(argv):
    """The columns of system calls, processes made, programs begun and syncs, of one run."""
    file = f'{bench.HOME}/strace'
    if subprocess.run(['strace', '-f', '-qq', '-c', '-o', file, *argv], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode:
        return '       -     -     -     -' # such as newuidmap, which has no privilege where it is traced
    calls = {}
    with open(file) as f:
        for line in f:
            words = line.split()
            if len(words) >= 5 and words[0][0].isdigit() and words[-1] != 'total':
                calls[words[-1]] = int(words[3])
    return f'{sum(calls.values()):8} {sum(calls.get(c, 0) for c in FORKS):5} {calls.get("execve", 0):5} {sum(calls.get(c, 0) for c in SYNCS):5}'


def measure(programs, title, words, before):
    samples = {}
    for i in range(max(p.rounds for p in programs) + 1):
        for p in programs:
            if i > p.rounds:
                continue
            if before:
                before(p)
            try:
                sample = p.measure(*(words(p) if callable(words) else words))
            except SystemExit:
                if p is programs[0]:
                    raise
                programs = programs[:1] # such as a podman without slirp4netns
                break
            if i > 0:
                samples.setdefault(p.name, []).append(sample)
    line = f'{title:34}'
    middle = {name: [statistics.median(s[k] * 1e3 for s in of) for k in (0, 1)] for name, of in samples.items()}
    for name in ('sdpod', 'podman'):
        line += f'{middle[name][0]:9.2f} {middle[name][1]:9.2f}' if name in middle else ' ' * 19
    if len(middle) == 2:
        line += f'{middle["podman"][0] / middle["sdpod"][0]:8.1f} {middle["podman"][1] / max(middle["sdpod"][1], 1e-3):8.1f}'
    ours = programs[0] # once more, traced
    if before:
        before(ours)
    print(line, counts([*ours.argv, *(words(ours) if callable(words) else words)]), flush=True)


def archive(path, number):
    with tarfile.open(path, 'w') as tar:
        info = tarfile.TarInfo('number')
        data = str(number).encode()
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))


def make_files():
    if os.path.exists(f'{FILES}/done'):
        return
    subprocess.run(['rm', '-rf', FILES], check=True)
    os.makedirs(f'{FILES}/tree')
    for i in range(40):
        os.mkdir(f'{FILES}/tree/{i}')
        for k in range(50):
            with open(f'{FILES}/tree/{i}/{k}', 'wb') as f:
                f.write(os.urandom(4096))
    with open(f'{FILES}/big', 'wb') as f:
        for _ in range(1024):
            f.write(os.urandom(1 << 20))
    archive(f'{FILES}/extra.tar', 'extra')
    open(f'{FILES}/done', 'w').close()


def fill(p, size, content):
    have = set(p.text('ps', '-a', '--format', '{{.Names}}'))
    for i in range(size):
        if f's{i}' not in have:
            p.run('create', '--name', f's{i}', *NETWORK, bench.IMAGE, 'true')
    have = set(p.text('images', '--format', '{{.Repository}}'))
    for i in range(size // 3):
        if f'localhost/i{i}' not in have:
            archive(f'{FILES}/one.tar', i)
            p.run('import', '-q', f'{FILES}/one.tar', f'localhost/i{i}')
    have = set(p.text('volume', 'ls', '-q'))
    for i in range(max(size // 6, 8)):
        if f'v{i}' not in have:
            p.run('volume', 'create', f'v{i}')
    have = set(p.text('network', 'ls', '-q'))
    for i in range(max(size // 15, 8)):
        if f'n{i}' not in have:
            p.run('network', 'create', f'n{i}')
    for name in 'busy', 'sound', 'ended', 'full', 'one', 'two':
        p.quiet('rm', '-f', '-i', '-t', '0', name)
    p.run('run', '-d', '--name', 'busy', *NETWORK, bench.IMAGE, *SLEEPER)
    p.run('run', '-d', '--name', 'sound', '--health-cmd', 'true', '--health-interval', 'disable', *NETWORK, bench.IMAGE, *SLEEPER)
    p.run('run', '--name', 'ended', *NETWORK, bench.IMAGE, 'true')
    if content:
        p.run('create', '--name', 'full', *NETWORK, bench.IMAGE, 'true')
        p.run('cp', f'{FILES}/tree', 'full:/tree')
        p.run('cp', f'{FILES}/big', 'full:/big')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tables = list(dict.fromkeys(r[0] for r in ROWS))
    parser.add_argument('--only', default='', help='tables, joined by commas: ' + ' '.join(tables))
    parser.add_argument('--verb', default='', help='only rows whose title begins like this')
    parser.add_argument('--containers', type=int, default=300, help='and a third as many images, a sixth volumes, a fifteenth networks')
    parser.add_argument('--rounds', type=int, default=9, help="sdpod's")
    parser.add_argument('--podman-rounds', type=int, default=2)
    parser.add_argument('--programs', default='sdpod,podman')
    arguments = parser.parse_args()
    os.makedirs(bench.HOME, exist_ok=True)
    bench.ERRORS = os.open(f'{bench.HOME}/errors', os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
    bench.LEFTOVERS.clear()  # supervisors stay with what runs; this is what goes
    bench.LEFTOVERS.update({'podman', 'sdpod', 'sdpod-image', 'crun', 'exe'})
    with open(f'{bench.HOME}/containers.conf', 'w') as f:
        f.write('[containers]\npids_limit = 0\nlog_driver = "k8s-file"\n')
    os.environ['CONTAINERS_CONF'] = f'{bench.HOME}/containers.conf'
    found = {name: path for name, path in bench.find_programs().items() if name in arguments.programs.split(',')}
    bench.prepare_images(found)
    make_files()
    programs = [Measured(name, found[name], arguments.rounds if name == 'sdpod' else arguments.podman_rounds)
                for name in ('sdpod', 'podman') if name in found]
    chosen = [r for r in ROWS if (not arguments.only or r[0] in arguments.only.split(',')) and r[1].startswith(arguments.verb)]
    for p in programs:
        fill(p, arguments.containers, any(r[0] == 'content' for r in chosen))
    with open('/proc/loadavg') as f:
        print(f'# load {f.read().strip()}; {os.cpu_count()} CPUs; Linux {os.uname().release}')
    table = None
    for row in chosen:
        if row[0] != table:
            table = row[0]
            print(f'\n{table}: {arguments.containers} containers; CPU pressure {bench.pressure()}')
            print(f'{"ms, medians":34}{"sdpod":>9} {"CPU":>9}{"podman":>9} {"CPU":>9}{"wall":>8} {"CPU":>8}{"syscalls":>9} {"forks":>5} {"execs":>5} {"syncs":>5}')
        try:
            measure(programs, *row[1:])
        except (SystemExit, subprocess.CalledProcessError) as error:
            print(f'{row[1]:34} {error}'[:200], flush=True)


if __name__ == '__main__':
    main()
