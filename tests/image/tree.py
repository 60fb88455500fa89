# SPDX-License-Identifier: Apache-2.0
"""Prints a directory tree as JSON: what the tests compare with what an archive says. Runs inside the user namespace in
which the tree was made, so that IDs are those of the archive."""

import hashlib
import json
import os
import stat
import sys

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFCHR: "char",
         stat.S_IFBLK: "block", stat.S_IFSOCK: "socket"}


def describe(path):
    st = os.lstat(path)
    kind = KINDS[stat.S_IFMT(st.st_mode)]
    entry = {"kind": kind, "mode": stat.S_IMODE(st.st_mode), "uid": st.st_uid, "gid": st.st_gid, "mtime": st.st_mtime_ns,
             "links": st.st_nlink, "inode": st.st_ino, "xattrs": {}}
    if kind == "file":
        with open(path, "rb") as f:
            entry["sha256"] = hashlib.sha256(f.read()).hexdigest()
        entry["size"], entry["blocks"] = st.st_size, st.st_blocks
    if kind == "symlink":
        entry["link"] = os.fsencode(os.readlink(path)).decode("latin-1")
    if kind in ("char", "block"):
        entry["device"] = [os.major(st.st_rdev), os.minor(st.st_rdev)]
    if kind in ("file", "dir"):
        for name in os.listxattr(path):
            entry["xattrs"][name] = os.getxattr(path, name).decode("latin-1")
    return entry


def walk(root):
    tree = {".": describe(root)}
    for directory, names, files in os.walk(os.fsencode(root)):
        for name in names + files:
            path = os.path.join(directory, name)
            tree[os.path.relpath(path, os.fsencode(root)).decode("latin-1")] = describe(path)
    return tree


json.dump(walk(sys.argv[1]), sys.stdout)
