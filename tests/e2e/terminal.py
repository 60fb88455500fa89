#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: terminal.py STEP... -- COMMAND...

Runs the command at a terminal of its own, does the steps one after the other, then waits for its end. Prints all that the
terminal showed; the exit status is the command's, 124 where a step or the end did not come in time.
    expect:REGEX  wait until it shows (after what was matched before)    send:TEXT   type it (Python's escapes: \\r, \\x10)
    size:ROWSxCOLUMNS  resize the window    sleep:SECONDS    hang-up    close the terminal    kill:SIGNAL  to the command
    said:FILE     makes the file, for others to see how far it is
"""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 120


class Terminal:
    def __init__(self, command):
        self.shown = b''
        self.matched = 0
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.execvp(command[0], command)
            finally:
                os._exit(127)
        self.resize(24, 80)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def read(self, seconds):
        """False at the end."""
        if self.master < 0 or not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b''
        self.shown += data
        return bool(data)

    def expect(self, regex):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            found = re.compile(regex.encode(), re.S).search(self.shown, self.matched)
            if found:
                self.matched = found.end()
                return True
            if not self.read(0.2):
                return False
        return False

    def step(self, step):
        word, _, value = step.partition(':')
        if word == 'expect':
            return self.expect(value)
        if word == 'send':
            os.write(self.master, codecs.decode(value, 'unicode_escape').encode('latin-1'))
        elif word == 'size':
            self.resize(*map(int, value.split('x')))
        elif word == 'said':
            open(value, 'w').close()
        elif word == 'sleep':
            time.sleep(float(value))
        elif word == 'hang-up':
            os.close(self.master)
            self.master = -1
        elif word == 'kill':
            os.kill(self.pid, getattr(signal, 'SIG' + value))
        else:
            sys.exit(f'no such step: {step}')
        return True

    def finish(self):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            if self.master >= 0 and not self.read(0.05):
                os.close(self.master)
                self.master = -1
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.master >= 0 and select.select([self.master], [], [], 0)[0] and self.read(0):
                    pass
                return os.waitstatus_to_exitcode(status)
            if self.master < 0:
                time.sleep(0.05)
        return 124


def main():
    cut = sys.argv.index('--')
    terminal = Terminal(sys.argv[cut + 1:])
    code = None
    for step in sys.argv[1:cut]:
        if not terminal.step(step):
            print(f'[never came: {step}]', file=sys.stderr)
            code = 124
            os.kill(terminal.pid, signal.SIGKILL)
            break
    status = terminal.finish()
    sys.stdout.buffer.write(terminal.shown)
    sys.exit(code or (128 - status if status < 0 else status))


main()
