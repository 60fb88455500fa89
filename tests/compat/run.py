#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each command line of a table with podman and with sdpod, as the same user, and compares what they did.

    run.py [--only WORD] [--verbose] TABLE...    TAP; `# SKIP` where podman is not installed
    run.py --lint COMPATIBILITY.md TABLE...      whether each difference that a table expects stands on that page

README.md says how a table is written.
"""
import argparse
import concurrent.futures
import contextlib
import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

TIMEOUT = 300
IMAGES = ('busybox', 'web', 'layers')  # the first two are there when a scene begins
PRELUDE = '''
podman() { "$PROGRAM" "$@"; }
docker() { "$PROGRAM" "$@"; }
'''
# Podman's default asks for the pids controller, which the user may lack; its journal has other rules for each machine
CONTAINERS_CONF = '[containers]\npids_limit = 0\nlog_driver = "k8s-file"\n[engine]\nevents_logger = "file"\n'


class Line:
    def __init__(self, where, scene, mode, command):
        self.where, self.scene, self.mode, self.command = where, scene, mode, command
        self.differs = []


class Difference:
    """What may differ, 'status', 'stdout' or 'json PATTERN...', and the row of COMPATIBILITY.md that says why. One of a set
    belongs to several lines; somewhere it must be met."""

    def __init__(self, what, row):
        self.what, self.row, self.met = what, row, False

    def covers(self, what):
        kind, _, path = what.partition(' ')
        wanted, _, patterns = self.what.partition(' ')
        return kind == wanted and (not path or any(fnmatch.fnmatchcase(path, pattern.replace('[]', '[[][]]'))
                                                   for pattern in patterns.split()))


def read_table(path):
    """The lines of a table, in order. Each has a mode, and the differences that are expected of it."""
    lines, scene, sets, current = [], None, {}, None
    with open(path) as f:
        for number, text in enumerate(f, 1):
            text = text.rstrip('\n')
            where = f'{os.path.basename(path)}:{number}'
            if not text.strip() or text.startswith('#'):
                continue
            if found := re.fullmatch(r'== (.+)', text):
                scene, current = found.group(1), None
            elif found := re.fullmatch(r'@(\S+)', text):
                current = sets.setdefault(found.group(1), [])
            elif found := re.fullmatch(r'\s+~ @(\S+)', text):
                current += sets[found.group(1)]
            elif found := re.fullmatch(r'\s+~ (status|stdout|json [^:]+): (.+)', text):
                if current is None:
                    raise SystemExit(f'{where}: a difference of no line')
                current.append(Difference(found.group(1), found.group(2)))
            elif text[0].isspace():
                raise SystemExit(f'{where}: not a difference: {text}')
            else:
                found = re.fullmatch(r'(?:(setup|status|json|keys|sorted|silent): )?(.+)', text)
                lines.append(Line(where, scene, found.group(1) or 'same', found.group(2)))
                current = lines[-1].differs
    return lines


# -------------------------------------------------------------------------------------------------------- normalising

ADJECTIVE_NOUN = re.compile(r'\b[a-z]+_[a-z]+\d?\b')
IDS = [
    (re.compile(r'\b[0-9a-f]{64}\b'), 'ID64'),
    (re.compile(r'\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b'), 'ID12'),
]
TIMES = [
    (re.compile(r'\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)'), 'RFC3339'),
    (re.compile(r'\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} [A-Z]{1,5}( m=\S+)?'), 'GOTIME'),
    (re.compile(r'\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\w{3}) [ \d]\d \d\d:\d\d:\d\d (\w+ )?\d{4}\b'), 'ANSITIME'),
    (re.compile(r'\bLess than a second\b|\b(About )?(an?|\d+) (second|minute)s?\b'), 'DURATION'),
    (re.compile(r'(?<!\d)1[78]\d{8}(\d{9})?(?!\d)'), 'UNIXTIME'),
]


class Normaliser:
    """Replaces what two runs cannot have in common. Image IDs stay: they are the same with both programs."""

    def __init__(self, lane):
        self.lane, self.known = lane, set()

    def learn(self, ids):
        for one in ids:
            self.known |= {one, one[:12]}

    def json(self, value):
        if isinstance(value, dict):
            return {self.words(key): self.json(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.json(inner) for inner in value]
        if isinstance(value, str):
            return self.words(value)
        if isinstance(value, int) and 1.7e9 < value < 1.9e9:
            return 1700000000
        if isinstance(value, int) and 1.7e18 < value < 1.9e18:
            return 1700000000 * 10**9
        return value

    def words(self, text):
        changed = text
        for pattern, name in IDS:
            changed = pattern.sub(lambda m, name=name: m.group() if m.group() in self.known else name, changed)
        for pattern, name in TIMES:
            changed = pattern.sub(name, changed)
        for value, name in self.lane.own_words:
            changed = value.sub(name, changed)
        return changed

    def __call__(self, text):
        changed = self.words(text)
        if changed == text:
            return text
        return re.sub(r'  +', '  ', changed)  # what is as wide as an ID or a time leaves columns of another width


# ------------------------------------------------------------------------------------------------------------- running

class Result:
    def __init__(self, status, stdout, stderr):
        self.status, self.stdout, self.stderr, self.seconds = status, stdout, stderr, 0


class Lane:
    """One program with a working directory of its own."""

    def __init__(self, program, home, ports):
        self.program, self.work = program, os.path.join(home, program)
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)
        port = free_port(ports)
        # no digits of an ID; a template may put another number right behind a port
        self.own_words = [(re.compile(re.escape(self.work)), 'WORK'), (re.compile(rf'(?<![0-9a-f]){port}(?![0-9a-f]{{6}})'), 'PORT')]
        self.environment = dict(os.environ, PROGRAM=shutil.which(program), TZ='UTC', LC_ALL='C.UTF-8', PORT=str(port),
                                IMAGES=home)
        self.normalise = Normaliser(self)

    def run(self, command):
        begun = time.monotonic()
        process = subprocess.Popen(['bash', '-c', PRELUDE + command], cwd=self.work, env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            return Result(-1, out.decode(errors='replace'), err.decode(errors='replace') + f'\nstopped after {TIMEOUT} s')
        result = Result(process.returncode, out.decode(errors='replace'), err.decode(errors='replace'))
        result.seconds = time.monotonic() - begun
        return result

    def clear(self):
        """Back to nothing but the images."""
        keep = ' '.join(f'$IMAGES/{name}.tar' for name in IMAGES[:2])
        self.run('podman rm -af -t 0; podman network prune -f; podman volume prune -f; podman rmi -af >/dev/null; '
                 f'for i in {keep}; do podman load -q -i "$i"; done')
        ids = self.run('podman images -aq --no-trunc').stdout.replace('sha256:', '').split()
        digests = self.run("podman images -a --format '{{.Digest}}'").stdout.replace('sha256:', '').split()
        self.normalise.learn(ids + digests)

    def scene(self, lines):
        self.clear()
        return [self.run(line.command) for line in lines]


def make_images(home):
    """Of different ages: lists are sorted by that."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
    import image
    for month, name in enumerate(IMAGES, 1):
        made = image.IMAGES[name]()
        made.config['created'] = f'2026-0{month}-01T00:00:00Z'
        made.write_archive(f'{home}/{name}.tar', f'localhost/{name}:latest')


def free_port(ports):
    """One that the kernel gives to nobody who connects, from a range that is this lane's."""
    import socket
    for port in ports:
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(('', port))
            return port
    raise SystemExit('no port is free')


# ----------------------------------------------------------------------------------------------------------- comparing

def kind(value):
    return {dict: 'object', list: 'list', str: 'string', bool: 'bool', int: 'number', float: 'number', type(None): 'null'}[type(value)]


def compare_json(theirs, ours, values, path=''):
    """Yields (path, what) of each difference in keys and types and, with `values`, in what stands there."""
    if kind(theirs) != kind(ours):
        yield path or '.', f'{kind(theirs)} with podman, {kind(ours)} with sdpod'
    elif isinstance(theirs, dict):
        for key in theirs.keys() | ours.keys():
            inner = f'{path}.{key}'
            if key not in ours:
                yield inner, 'only with podman'
            elif key not in theirs:
                yield inner, 'only with sdpod'
            else:
                yield from compare_json(theirs[key], ours[key], values, inner)
    elif isinstance(theirs, list):
        if values and len(theirs) != len(ours):
            yield f'{path}[]', f'{len(theirs)} with podman, {len(ours)} with sdpod'
        for one, other in zip(theirs, ours):
            yield from compare_json(one, other, values, f'{path}[]')
    elif values and theirs != ours:
        yield path, f'{theirs!r} with podman, {ours!r} with sdpod'


def load_json(text):
    """One value, or one a line."""
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def differences(line, theirs, ours, lanes):
    """{what: [explanations]}: 'status', 'stdout', or 'json PATH'."""
    found = {}
    if line.mode == 'setup':
        for result, name in ((theirs, 'podman'), (ours, 'sdpod')):
            if result.status != 0:
                found['setup'] = [f'{name} ended with {result.status}: {result.stderr.strip()}']
        return found
    if theirs.status != ours.status:
        found['status'] = [f'{theirs.status} with podman, {ours.status} with sdpod']
    if line.mode == 'silent':
        if bool(theirs.stderr.strip()) != bool(ours.stderr.strip()):
            found['stderr'] = [f'podman: {theirs.stderr.strip()!r}; sdpod: {ours.stderr.strip()!r}']
    if line.mode == 'status':
        return found
    if line.mode in ('json', 'keys'):
        try:
            values = [lane.normalise.json(load_json(result.stdout)) for lane, result in zip(lanes, (theirs, ours))]
        except ValueError as e:
            found['stdout'] = [f'no JSON: {e}']
            return found
        for path, what in compare_json(*values, line.mode == 'json'):
            found.setdefault(f'json {path}', []).append(f'{path}: {what}')
        return found
    texts = [lane.normalise(result.stdout) for lane, result in zip(lanes, (theirs, ours))]
    if line.mode == 'sorted':
        texts = ['\n'.join(sorted(text.split('\n'))) for text in texts]
    if texts[0] != texts[1]:
        found['stdout'] = [f'podman: {texts[0]!r}', f'sdpod:  {texts[1]!r}']
    return found


def judge(line, found):
    """What is different and was not expected."""
    wrong = []
    for what, explanations in found.items():
        covering = [difference for difference in line.differs if difference.covers(what)]
        for difference in covering:
            difference.met = True
        if not covering:
            wrong += [e if what.startswith('json') else f'{what}: {e}' for e in explanations]
    return wrong


def rows_of(page):
    """The first cells of the table "What differs", without marks."""
    with open(page) as f:
        text = f.read()
    part = text[text.index('## What differs'):]
    return {row.split(' | ')[0].strip('| ').replace('`', '') for row in part.splitlines() if row.startswith('| ')}


def lint(page, lines):
    rows, failed = rows_of(page), 0
    for line in lines:
        for difference in line.differs:
            if difference.row.replace('`', '') not in rows:
                print(f'# {line.where}: no row "{difference.row}" on {page}')
                failed += 1
    print(f'1..1\n{"not " if failed else ""}ok 1 - each expected difference stands on the page')
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--only', help='scenes with this word only')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('--lint', metavar='PAGE')
    parser.add_argument('tables', nargs='+')
    arguments = parser.parse_args()
    lines = [line for table in arguments.tables for line in read_table(table)]
    if arguments.lint:
        return lint(arguments.lint, lines)
    for program in ('podman', 'sdpod'):
        if not shutil.which(program):
            print(f'1..0 # SKIP {program} is not installed')
            return 0
    home = os.path.expanduser('~/compat')
    os.makedirs(home, exist_ok=True)
    os.makedirs(os.path.expanduser('~/.config/containers'), exist_ok=True)
    with open(os.path.expanduser('~/.config/containers/containers.conf'), 'w') as f:
        f.write(CONTAINERS_CONF)
    make_images(home)
    scenes = {}
    for line in lines:
        if not arguments.only or arguments.only in line.scene:
            scenes.setdefault(line.scene, []).append(line)
    lanes = [Lane('podman', home, range(12347, 13000)), Lane('sdpod', home, range(13457, 14000))]
    number = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for scene, of_scene in scenes.items():
            print(f'# {scene}')
            results = list(pool.map(lambda lane: lane.scene(of_scene), lanes))
            for line, theirs, ours in zip(of_scene, *results):
                wrong = judge(line, differences(line, theirs, ours, lanes))
                number += 1
                failed += bool(wrong)
                name = line.command.replace('#', '\\#')
                print(f'{"not " if wrong else ""}ok {number} - {name}', flush=True)
                for text in wrong:
                    print(f'# {line.where}: {text}')
                for result, program in ((theirs, 'podman'), (ours, 'sdpod')):
                    if result.seconds > 5:
                        print(f'#   {program} took {result.seconds:.0f} s')
                if arguments.verbose or wrong:
                    for result, program in ((theirs, 'podman'), (ours, 'sdpod')):
                        for text in result.stderr.strip().splitlines()[:3]:
                            print(f'#   {program}: {text}')
    gone = {id(d): (line, d) for of_scene in scenes.values() for line in of_scene for d in line.differs if not d.met}
    for line, difference in gone.values():
        number += 1
        failed += 1
        print(f'not ok {number} - {line.where}: not different any more: {difference.what}: {difference.row}')
    for lane in lanes:
        lane.run('podman rm -af -t 0; podman volume prune -f; podman rmi -af')
    print(f'1..{number}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
