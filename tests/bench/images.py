#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures pull, save and load in rounds against `podman` and `skopeo copy` into its own store. Run as an ordinary user;
images.sh prepares the registry and the images.

Every program gets a new store for each measurement, and nothing is removed before the end: a file system whose inodes were
just freed is slower. Wall time is until the program returns; `written` is besides until the kernel has written all of it to the
disk, which sdpod waits for anyway. CPU is all that the user's slice used. The floor inflates, hashes and creates the files, in
one thread (floor.c). Memory is a run of its own, watched by tests/lib/peak.py: the sum of all processes' peaks."""
import argparse
import mmap
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from bench import cpu_usec, interval, pressure  # noqa: E402

HOME = os.path.expanduser('~/bench-images')
PEAK = os.path.join(HERE, '../lib/peak.py')
MADV_POPULATE_WRITE = 23  # madvise(2), Linux 5.14
TOUCHED = 0
IMAGES = ('big', 'layers40', 'layers100', 'small')


class Tool:
    """One program with a store; `number` makes each store new."""
    number = 0

    def __init__(self, registry):
        self.registry = registry
        self.renew()

    def renew(self):
        Tool.number += 1
        self.store = f'{HOME}/store-{Tool.number}'
        self.run = f'{os.environ["XDG_RUNTIME_DIR"]}/bench-{Tool.number}'


class Sdpod(Tool):
    name = 'sdpod'

    def words(self, *words):
        return ['sdpod', '--root', self.store, '--runroot', self.run, *words]

    def pull(self, image):
        return self.words('pull', '-q', '--tls-verify=false', f'{self.registry}/{image}')


class Podman(Tool):
    name = 'podman'

    def words(self, *words):
        return ['podman', '--log-level=error', '--root', self.store, '--runroot', self.run, *words]

    def pull(self, image):
        return self.words('pull', '-q', '--tls-verify=false', f'{self.registry}/{image}')


class Skopeo(Tool):
    name = 'skopeo copy'

    def pull(self, image):
        return ['skopeo', 'copy', '-q', '--src-tls-verify=false', f'docker://{self.registry}/{image}',
                f'containers-storage:[overlay@{self.store}+{self.run}]localhost/{image}:latest']


class Floor(Tool):
    name = 'floor'

    def __init__(self, registry, blobs):
        super().__init__(registry)
        self.blobs = blobs

    def pull(self, image):
        os.makedirs(self.store, exist_ok=True)
        script = 'for b in "$1/$2"/*; do mkdir "$3/${b##*/}" && "$0" "$b" "$3/${b##*/}" || exit; done'
        return ['sh', '-c', script, self.blobs + '/floor', self.blobs, image, self.store]


def touch(mebibytes):
    """Memory that a virtual machine has given back comes from its host page by page, at a tenth of the speed: what a measurement needs for
    the page cache is taken and let go before it."""
    if mebibytes:
        memory = mmap.mmap(-1, mebibytes << 20)
        memory.madvise(MADV_POPULATE_WRITE)
        memory.close()


def measure(argv):
    """(wall, wall until written, CPU) in seconds"""
    os.sync()
    touch(TOUCHED)
    cpu, start = cpu_usec(), time.monotonic()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wall = time.monotonic() - start
    used = cpu_usec() - cpu
    os.sync()
    written = time.monotonic() - start
    if done.returncode:
        raise SystemExit(f'bench: {" ".join(argv)} ended with {done.returncode}: {done.stderr.decode()[-2000:]}')
    return wall, written, used / 1e6


def peak(argv):
    """kB: the sum of the peaks of all its processes, and of what is private to them."""
    done = subprocess.run([sys.executable, PEAK, f'{HOME}/peak', *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(f'bench: {" ".join(argv)} ended with {done.returncode}: {done.stderr.decode()[-2000:]}')
    with open(f'{HOME}/peak') as f:
        return [int(word) for word in f.read().split()]


def table(title, tools, prepare, command, rounds, memory=True):
    """`prepare(tool)` runs unmeasured in each new store; `command(tool)` is what is measured."""
    samples = {tool.name: [] for tool in tools}
    for i in range(rounds):
        for j in range(len(tools)):
            tool = tools[(i + j) % len(tools)]
            tool.renew()
            prepare(tool)
            samples[tool.name].append(measure(command(tool)))
    print(f'\n{title}: {rounds} rounds; CPU pressure {pressure()}')
    print(f'  {"":14} {"wall s":>20} {"best":>7} {"written s":>10} {"CPU s":>8} {"wall / ours":>20} {"best":>6} {"CPU / ours":>11} {"peaks MB":>9} {"private MB":>11}')
    ours = samples[tools[0].name]
    for tool in tools:
        mine = samples[tool.name]
        median, low, high = interval([s[0] for s in mine])
        cells = f'{f"{median:.2f} ({low:.2f}-{high:.2f})":>20} {min(s[0] for s in mine):7.2f} {interval([s[1] for s in mine])[0]:10.2f} ' \
                f'{interval([s[2] for s in mine])[0]:8.2f}'
        if tool is tools[0]:
            cells += f' {"":>20} {"":>6} {"":>11}'
        else:
            median, low, high = interval([s[0] / o[0] for s, o in zip(mine, ours)])
            cells += f' {f"{median:.2f} ({low:.2f}-{high:.2f})":>20} {min(s[0] for s in mine) / min(o[0] for o in ours):6.2f}' \
                     f' {interval([s[2] / o[2] for s, o in zip(mine, ours)])[0]:11.2f}'
        if memory and not isinstance(tool, Floor):
            tool.renew()
            prepare(tool)
            cells += ' {:9.1f} {:11.1f}'.format(*[n / 1024 for n in peak(command(tool))])
        print(f'  {tool.name:14} {cells}', flush=True)


def nothing(_tool):
    pass


def run(argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def clean():
    """Stores have files of other IDs."""
    if os.path.isdir(HOME):
        subprocess.run(['unshare', '--map-root-user', '--map-auto', 'rm', '-rf', HOME], check=False)
    shutil.rmtree(HOME, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--registry', required=True, help='host:port with the images')
    parser.add_argument('--static', required=True, help='host:port of a server that takes next to no CPU time (static-registry.py)')
    parser.add_argument('--blobs', required=True, help='directory of the layers by image, and of the program floor')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', default='', help='tables, joined by commas: ' + ' '.join(IMAGES) + ' static shared save load')
    parser.add_argument('--touch', type=int, default=0, metavar='MIB', help='memory to be taken from the host before each measurement')
    arguments = parser.parse_args()
    global TOUCHED
    TOUCHED = arguments.touch
    clean()
    os.makedirs(HOME)
    with open(f'{HOME}/containers.conf', 'w') as f:
        f.write('[containers]\npids_limit = 0\n')
    os.environ['CONTAINERS_CONF'] = f'{HOME}/containers.conf'
    with open(f'{HOME}/storage.conf', 'w') as f:
        f.write('[storage]\ndriver = "overlay"\n')
    os.environ['CONTAINERS_STORAGE_CONF'] = f'{HOME}/storage.conf'
    only = arguments.only.split(',') if arguments.only else [*IMAGES, 'static', 'shared', 'save', 'load']
    tools = [Sdpod(arguments.registry), Podman(arguments.registry), Skopeo(arguments.registry)]
    floor = Floor(arguments.registry, arguments.blobs)
    with open('/proc/loadavg') as f:
        print(f'# load {f.read().strip()}; {os.cpu_count()} CPUs; Linux {os.uname().release}')
    for image in IMAGES:
        if image in only:
            table(f'pull {image}', [*tools, floor], nothing, lambda tool: tool.pull(image), arguments.rounds)
    if 'static' in only:
        for image in 'layers40', 'layers100':
            table(f'pull {image} from a static server', [tool(arguments.static) for tool in (Sdpod, Podman, Skopeo)], nothing,
                  lambda tool: tool.pull(image), arguments.rounds, memory=False)
    if 'shared' in only:
        table('pull shared, with its base there', tools, lambda tool: run(tool.pull('base')), lambda tool: tool.pull('shared'), arguments.rounds)
    for form in 'oci-archive', 'docker-archive':
        file = f'{HOME}/saved-{form}.tar'
        words = ['save', '-q', '--format', form, '-o']
        if 'save' in only:
            table(f'save base as {form}', tools[:2], lambda tool: run(tool.pull('base')),
                  lambda tool: tool.words(*words, f'{tool.store}.tar', f'{tool.registry}/base'), arguments.rounds)
        if 'load' in only:
            run(tools[1].pull('base'))
            run(tools[1].words(*words, file, f'{arguments.registry}/base'))
            table(f'load base from {form}', tools[:2], nothing, lambda tool: tool.words('load', '-q', '-i', file), arguments.rounds)
    clean()


if __name__ == '__main__':
    main()
