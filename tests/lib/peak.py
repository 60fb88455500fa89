#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program and measures the memory of all its processes: peak.py FILE CMD...

FILE gets two numbers, in kB: the sum of the peaks of all processes, each by its own VmHWM (so what they share counts each time,
and peaks at different moments are added up), and the sum of what was private to them at the worst moment. Processes are looked at
every 10 ms, those that the program left behind too. The exit code is the program's."""

import ctypes
import os
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def descendants(root):
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                children.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(pid))
        except OSError:
            pass
    found, todo = [], [root]
    while todo:
        inner = children.get(todo.pop(), [])
        found += inner
        todo += inner
    return found


def look(pid, peaks):
    """Notes a process's peak, returns what is its own now."""
    try:
        with open(f"/proc/{pid}/status") as f:
            fields = dict(line.split(":", 1) for line in f if line.startswith(("VmHWM", "RssAnon", "RssShmem")))
    except OSError:
        return 0
    size = {key: int(value.split()[0]) for key, value in fields.items()}
    peaks[pid] = max(peaks.get(pid, 0), size.get("VmHWM", 0))
    return size.get("RssAnon", 0) + size.get("RssShmem", 0)


def main(argv):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.posix_spawnp(argv[2], argv[2:], os.environ, setsigdef=[signal.SIGPIPE])
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, lambda number, _: os.kill(child, number))
    peaks, private, status = {}, 0, None
    while status is None:
        private = max(private, sum([look(pid, peaks) for pid in descendants(os.getpid())]))
        pid, ended = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            status = ended
        elif pid == 0:
            time.sleep(0.01)
    with open(argv[1], "w") as f:
        f.write(f"{sum(peaks.values())} {private}\n")
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(sys.argv)
