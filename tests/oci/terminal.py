#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal, and the sockets of an engine.

  terminal.py typed WHEN=WHAT... -- CMD...  runs CMD on a terminal of 33 lines and 77 columns; when the text WHEN has been printed, it types
                                            WHAT, or (SIZE) makes the terminal 44 by 88; prints all that came, and the exit status
  terminal.py console PATH TEXT -- CMD...   listens at PATH, runs CMD, takes the terminal that comes, types TEXT, and prints what comes back
  terminal.py pidfd PATH -- CMD...          the same for a pidfd: prints the process's ID
  terminal.py notified PATH -- CMD...       a socket of sd_notify(3): prints the message that came until CMD ended
"""
import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import termios
import time

LIMIT = 60


def size(fd, lines, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def read_some(fd, seconds):
    if not select.select([fd], [], [], seconds)[0]:
        return None
    try:
        return os.read(fd, 4096)
    except OSError:
        return b""


def typed(steps, command):
    pid, fd = pty.fork()
    if pid == 0:
        size(0, 33, 77)
        os.execvp(command[0], command)
    out, end = b"", time.monotonic() + LIMIT
    while time.monotonic() < end:
        data = read_some(fd, 0.05)
        if data == b"":
            break
        out += data or b""
        if steps and steps[0][0].encode() in out:
            what = steps.pop(0)[1]
            if what == "SIZE":
                size(fd, 44, 88)
            else:
                os.write(fd, what.encode())
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(repr(out.decode(errors="replace")), status)


def listen(path, kind=socket.SOCK_STREAM):
    server = socket.socket(socket.AF_UNIX, kind)
    server.bind(path)
    server.settimeout(LIMIT)
    return server


def receive(path, command):
    server = listen(path)
    server.listen(1)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    connection = server.accept()[0]
    connection.settimeout(LIMIT)
    data, fds, _flags, _address = socket.recv_fds(connection, 4096, 4)
    print("fds", len(fds), "name", bool(data), "end", connection.recv(1) == b"", "status", process.wait(LIMIT))
    return fds[0]


def console(path, text, command):
    fd = receive(path, command)
    if text:
        os.write(fd, text.encode())
    out, end = b"", time.monotonic() + LIMIT
    while time.monotonic() < end:
        data = read_some(fd, 0.3)
        if data == b"":
            break
        out += data or b""
    print(repr(out.decode(errors="replace")))


def main():
    at = sys.argv.index("--")
    mode, words, command = sys.argv[1], sys.argv[2:at], sys.argv[at + 1:]
    if mode == "typed":
        typed([word.encode().decode("unicode_escape").split("=", 1) for word in words], command)
    elif mode == "console":
        console(words[0], words[1].encode().decode("unicode_escape"), command)
    elif mode == "pidfd":
        fd = receive(words[0], command)
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:
            print([line.split()[1] for line in info if line.startswith("Pid:")][0])
    elif mode == "notified":
        server = listen(words[0], socket.SOCK_DGRAM)
        os.environ["NOTIFY_SOCKET"] = words[0]
        status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
        server.setblocking(False)
        try:
            print(repr(server.recv(4096).decode()), status)
        except BlockingIOError:
            print("nothing", status)


main()
