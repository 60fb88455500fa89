#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether sdpod knows each verb and option of Podman's: those that Debian's podman lists in its help, and those of later
versions in options-later.txt. To know one is to have it or to refuse it by name: the unit tests see to it that each refused
one stands on docs/COMPATIBILITY.md with the reason.

    options.py SDPOD
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

NONE = '--no-such-flag'
# of cobra, Podman's library of commands, or without meaning here
IGNORED = {'--help', '-h'}


def output(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, LC_ALL='C.UTF-8'), timeout=60, check=False)
    return done.stdout, done.stderr


def options_of_help(text):
    """{option: whether it takes a value} of the lines `  -f, --filter strings   ...`."""
    found = {}
    for letter, name, metavar in re.findall(r'^ {2,6}(?:(-\w), )?(--[\w-]+)(?: (\w+))?(?:  |$)', text, re.M):
        found[name] = bool(metavar)
        if letter:
            found[letter] = bool(metavar)
    return found


def walk(words=()):
    """(verb, options) of all that podman's help tells of, groups without options of their own left out."""
    text, _ = output('podman', *words, '--help')
    part = re.search(r'^Available Commands:\n((?:  .*\n)+)', text, re.M)
    verbs = re.findall(r'^  ([\w-]+)', part.group(1), re.M) if part else []
    if not words or not part:
        yield ' '.join(words), options_of_help(text.partition('\nOptions:\n')[2])
    for verb in verbs:
        yield from walk((*words, verb))


def later(path):
    """The table of later versions: `verb --option[=]`, the sign where it takes a value."""
    with open(path) as f:
        for line in f:
            line = line.strip()
            if line and not line.startswith('#'):
                verb, option = line.rsplit(' ', 1)
                yield verb, {option.rstrip('='): option.endswith('=')}


def fault(sdpod, verb, option, takes_value):
    """What is wrong with sdpod's option, or None."""
    words = verb.split()
    _, err = output(sdpod, *words, f'{option}=true' if option.startswith('--') else option, NONE, '--help')
    if re.search(rf'unknown (shorthand )?flag: .*{re.escape(option)}\b', err) or "unknown shorthand flag: '" in err:
        return 'is not known'
    _, err = output(sdpod, *words, option, NONE, '--help')
    if 'cannot use' not in err and takes_value == (f'unknown flag: {NONE}' in err):
        return 'takes a value with podman' if takes_value else 'takes no value with podman'
    return None


def check(sdpod, verb, options):
    """(number of options that were looked at, what is wrong)"""
    _, err = output(sdpod, *verb.split(), '--help')
    if 'unrecognized command' in err:
        return 0, [f"'{verb}' is not known"]
    if 'cannot run' in err:
        return 0, []
    wanted = {o: v for o, v in options.items() if o not in IGNORED}
    wrong = []
    for option, takes_value in sorted(wanted.items()):
        problem = fault(sdpod, verb, option, takes_value)
        if problem:
            wrong.append(f'{verb} {option} {problem}')
    return len(wanted), wrong


def main(sdpod):
    if not shutil.which('podman'):
        print('1..0 # SKIP podman is not installed')
        return 0
    here = os.path.dirname(os.path.abspath(__file__))
    table = [*walk(), *later(os.path.join(here, 'options-later.txt'))]
    looked, wrong = 0, []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for count, problems in pool.map(lambda row: check(sdpod, *row), table):
            looked += count
            wrong += problems
    for problem in wrong:
        print(f'# {problem}')
    print(f'1..2\n{"not " if looked < 300 else ""}ok 1 - podman tells of {looked} options of verbs that are there')
    print(f'{"not " if wrong else ""}ok 2 - each is known to sdpod, with a value or without as with podman')
    return 1 if wrong or looked < 300 else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
