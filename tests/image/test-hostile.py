# SPDX-License-Identifier: Apache-2.0
"""Archives by somebody who means harm: refused in one line or contained, and nothing outside the layer is touched."""

import gzip
import hashlib
import io
import json
import os
import shutil
import struct
import subprocess
import tarfile
import zlib

from harness import Tap, image, machines

tap = Tap()
Layer, Image = image.Layer, image.Image


class Victim:
    """A directory that anybody could write into, and whose every change is seen."""

    def __init__(self, m):
        self.path = os.path.join(m.dir, "victim")
        os.mkdir(self.path)
        os.chmod(self.path, 0o777)
        with open(self.path + "/secret", "w") as f:
            f.write("the host's secret\n")
        os.chmod(self.path + "/secret", 0o666)
        self.before = self.state()

    def state(self):
        found = []
        for name in sorted(os.listdir(self.path)) + ["."]:
            st = os.lstat(os.path.join(self.path, name))
            found.append((name, st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_mtime_ns, st.st_ctime_ns))
        return found, open(self.path + "/secret").read()

    def intact(self):
        return self.state() == self.before


def one_line(result):
    lines = result.err.strip().split("\n")
    text = [line for line in lines if not line.startswith("hint: ")]
    clean = all(c.isprintable() for line in lines for c in line)
    return len(text) == 1 and text[0].startswith("sdpod: cannot load") and clean


def load(m, img, name="x", **kw):
    store = m.store()
    path = os.path.join(m.public, "hostile.tar")
    img.write_archive(path, name)
    return store, m.run(store, "load", "--input", path, timeout=60, **kw)


def refused(m, victim, name, img, says=""):
    store, result = load(m, img)
    good = result.status == 125 and one_line(result) and says in result.err and victim.intact() and m.names(store) == [] and \
        not m.leftovers(store) and not os.path.isdir(store + "/layers") or \
        (result.status == 125 and one_line(result) and says in result.err and victim.intact() and m.names(store) == [] and
         not m.leftovers(store) and os.listdir(store + "/layers") == [])
    tap.ok(good, f"{m.label}: {name} is refused", f"{result}\nvictim intact: {victim.intact()}\n{m.leftovers(store)}")


def contained(m, victim, name, img, **wanted):
    """It loads; paths of the last layer are of the wanted kind (None: not there)."""
    store, result = load(m, img)
    tree = m.tree(store, image.digest(img.raw[-1])) if result.status == 0 else {}
    found = {k: tree.get(k, {"kind": None})["kind"] for k in wanted}
    tap.ok(result.status == 0 and victim.intact() and found == wanted and not m.check_store(store), f"{m.label}: {name} is contained",
           f"{result}\nvictim intact: {victim.intact()}\nfound {found}")


def paths(m, v):
    """S20 to S22: names and links that lead out."""
    V = v.path
    up = "../" * 20 + V.lstrip("/")
    L = lambda: Layer()  # noqa: E731
    refused(m, v, "a path with ..", Image([L().file("a/" + up + "/pwned", "x")]), "leads out")
    refused(m, v, "a path of ..", Image([L().dir("..")]), "leads out")
    refused(m, v, "a/../b", Image([L().file("a/../b", "x")]), "leads out")
    contained(m, v, "an absolute path", Image([L().file(V + "/pwned", "x")]), **{V.lstrip("/") + "/pwned": "file"})
    refused(m, v, "a file below a symlink", Image([L().symlink("d", V).file("d/pwned", "x")]), "goes through a symlink")
    refused(m, v, "a file below a relative symlink", Image([L().symlink("d", up).file("d/pwned", "x")]), "goes through a symlink")
    refused(m, v, "a chain of symlinks", Image([L().symlink("a", "b").symlink("b", "/").file("a" + V + "/pwned", "x")]), "symlink")
    refused(m, v, "a directory below a symlink", Image([L().symlink("d", V).dir("d/pwned")]), "symlink")
    contained(m, v, "a file over a symlink", Image([L().symlink("f", V + "/secret").file("f", "pwned")]), f="file")
    contained(m, v, "a directory over a symlink", Image([L().symlink("d", V).dir("d", mode=0o777).file("d/f", "x")]), d="dir", **{"d/f": "file"})
    refused(m, v, "a directory that becomes a symlink", Image([L().dir("d").file("d/a", "x").symlink("d", V).file("d/pwned", "x")]), "symlink")
    contained(m, v, "the same over two layers", Image([L().symlink("d", V), L().file("d/pwned", "x")]), **{"d/pwned": "file"})
    contained(m, v, "a symlink with a mode and an owner", Image([L().entry("l", tarfile.SYMTYPE, link=V + "/secret", mode=0o777, uid=9)]), l="symlink")
    refused(m, v, "a hard link out, absolute", Image([L().hardlink("h", V + "/secret").file("h", "pwned")]), "not in the layer")
    refused(m, v, "a hard link out, relative", Image([L().hardlink("h", up + "/secret").file("h", "pwned")]), "leads out")
    refused(m, v, "a hard link through a symlink", Image([L().symlink("d", V).hardlink("h", "d/secret").file("h", "x")]), "not in the layer")
    contained(m, v, "a hard link to a symlink", Image([L().symlink("s", V + "/secret").hardlink("h", "s")]), h="symlink")
    refused(m, v, "a hard link to a directory", Image([L().dir("d").hardlink("h", "d")]), "cannot have one")
    contained(m, v, "a hard link to itself", Image([L().file("f", "x").hardlink("f", "f")]), f="file")
    refused(m, v, "a file below a file", Image([L().file("f", "x").file("f/g", "x")]), "no directory")
    for name in (".wh..", ".wh...", ".wh."):
        refused(m, v, f"the whiteout {name!r}", Image([L().dir("d").file("d/" + name)]), "whiteout")
    refused(m, v, "a whiteout below ..", Image([L().file("a/../../.wh.x")]), "leads out")
    refused(m, v, "a whiteout through a symlink", Image([L().symlink("d", V).file("d/.wh.secret")]), "symlink")
    refused(m, v, "an opaque mark through a symlink", Image([L().symlink("d", V).file("d/.wh..wh..opq")]), "symlink")
    refused(m, v, "a directory of a whiteout's name", Image([L().file(".wh.d/f", "x")]), "whiteout")
    contained(m, v, "marks of aufs", Image([L().dir(".wh..wh.plnk").file(".wh..wh.aufs")]), **{".wh..wh.aufs": None, ".wh..wh.plnk": None})
    contained(m, v, "a whiteout of what is in the layer", Image([L().file("f", "x").file(".wh.f").file(".wh.g").file("g", "x")]), f="file", g="file")
    refused(m, v, "a hard link to a whiteout", Image([L().file(".wh.x").hardlink("y", "x")]), "cannot have one")
    contained(m, v, "a whiteout that becomes a directory", Image([L().file(".wh.d").file("d/f", "x")]), d="dir", **{"d/f": "file"})
    refused(m, v, "an empty name", Image([L().file("", "x")]), "not a name")
    refused(m, v, "the root as a file", Image([L().file("/", "x").symlink(".", V)]))
    refused(m, v, "the root as a symlink", Image([L().symlink("./", V)]), "not a name")


def kinds(m, v):
    """S23, S28: devices, odd names, owners, lengths."""
    V = v.path
    contained(m, v, "a FIFO as /etc/passwd", Image([Layer().fifo("etc/passwd")]), **{"etc/passwd": "fifo"})
    contained(m, v, "a file over a FIFO", Image([Layer().fifo("p").file("p", "x")]), p="file")
    contained(m, v, "a forged whiteout", Image([Layer().file("a", "x"), Layer().node("a", "c", 0, 0)]), a=None)
    contained(m, v, "device nodes", Image([Layer().node("mem", "c", 1, 1).node("sda", "b", 8, 0)]),
              mem="char" if m.root else None, sda="block" if m.root else None)
    refused(m, v, "a path of 6000 bytes", Image([Layer().file("/".join(["d" * 200] * 30), "x")]), "longer than a path")
    refused(m, v, "a name of 300 bytes", Image([Layer().file("n" * 300, "x")]), "255")
    refused(m, v, "a path 1500 deep", Image([Layer().file("/".join(["d"] * 1500), "x")]), "deep")
    refused(m, v, "a link of 40000 bytes", Image([Layer().symlink("l", "x" * 40000)]), "longer than a path")
    refused(m, v, "an empty symlink", Image([Layer().symlink("l", "")]), "empty")
    if m.root:
        refused(m, v, "the owner -1", Image([Layer().file("f", "x", uid=4294967295)]), "user ID 4294967295")
    else:
        refused(m, v, "an owner that is not mapped", Image([Layer().file("f", "x", uid=4000000000)]), "user ID 4000000000, and this user can only use 0 to 65536")
        refused(m, v, "a group that is not mapped", Image([Layer().file("f", "x", gid=70000)]), "group ID 70000")
    refused(m, v, "an owner beyond 32 bits", Image([Layer().file("f", "x", uid=1 << 40)]), "user ID")
    contained(m, v, "names with control bytes", Image([Layer().file("a\nb\x1b[2J", "x").symlink("\x07", "\x1b]0;pwn\x07")]), **{"a\nb\x1b[2J": "file"})
    refused(m, v, "a refused name with control bytes", Image([Layer().file("\x1b[2J\n/../x", "x")]), "leads out")
    depth = Layer()
    for i in range(300):
        depth.dir("/".join(["d"] * (i + 1)))
    contained(m, v, "a tree that is replaced by a file", Image([depth.file("d", "x")]), d="file")


def raw_tar(*headers):
    return b"".join(headers) + bytes(1024)


def header(name=b"f", size=0, kind=b"0", **fields):
    block = bytearray(512)
    block[0:len(name)] = name
    block[100:108], block[108:116], block[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    block[124:136] = fields.get("raw_size", b"%011o\0" % size)
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[257:265] = fields.get("magic", b"ustar\00000")
    for at, value in fields.get("patch", {}).items():
        block[at:at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = fields.get("checksum", b"%06o\0 " % sum(block))
    return bytes(block)


def pax(body, size=None):
    return header(b"x", len(body) if size is None else size, b"x") + body + bytes(-len(body) % 512)


def tars(m, v):
    """Headers that lie."""
    rows = {
        "a wrong checksum": (raw_tar(header(checksum=b"000000\0 ")), "checksum"),
        "a negative size": (raw_tar(header(raw_size=b"\xff" * 12)), "no number"),
        "a size of 2^70": (raw_tar(header(raw_size=b"\x80" + b"\x7f" * 11)), "no number"),
        "a size that is no number": (raw_tar(header(raw_size=b"zzzzzzzzzzz\0")), "no number"),
        "a file longer than the archive": (header(size=1 << 20) + b"x", "ends too early"),
        "an archive cut in a header": (header()[:300], "ends too early"),
        "something behind the end": (bytes(512) + header(), "follows its end"),
        "an unknown type": (raw_tar(header(kind=b"Z")), "unknown type"),
        "a pax header of 1 GB": (raw_tar(header(b"x", 1 << 30, b"x")), "at most"),
        "a GNU name of 1 GB": (raw_tar(header(b"x", 1 << 30, b"L")), "at most"),
        "a pax record without length": (raw_tar(pax(b"path=x\n"), header()), "extended header"),
        "a pax record longer than its header": (raw_tar(pax(b"99 path=x\n"), header()), "extended header"),
        "a pax record of length 0": (raw_tar(pax(b"0 path=x\n"), header()), "extended header"),
        "a pax record without end": (raw_tar(pax(b"9 path=xy"), header()), "extended header"),
        "a pax path with a NUL": (raw_tar(pax(b"12 path=a\0b\n"), header()), "path"),
        "a pax size that is no number": (raw_tar(pax(b"12 size=-12\n"), header()), "size"),
        "a pax time that is no number": (raw_tar(pax(b"11 mtime=x\n"), header()), "mtime"),
        "a pax path of ..": (raw_tar(pax(b"20 path=../../pwned\n"), header()), "leads out"),
        "a sparse file of 8 EiB": (raw_tar(pax(b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
                                             b"43 GNU.sparse.realsize=9223372036854775807\n"), header(size=512), b"1\n0\n0\n" + bytes(506)),
                                   "than the"),
        "a sparse map beyond the file": (raw_tar(pax(b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 GNU.sparse.realsize=5\n"),
                                                 header(size=1024), b"1\n4\n512\n" + bytes(503), b"x" * 512), "map"),
        "a sparse map that has no end": (raw_tar(pax(b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 GNU.sparse.realsize=5\n"),
                                                 header(size=512), b"9999999999\n" + b"1\n" * 250 + b"\n"), "map"),
        "an old sparse map that overlaps": (raw_tar(header(size=512, kind=b"S", magic=b"ustar  \0", patch={
            386: b"%011o\0%011o\0%011o\0%011o\0" % (0, 300, 100, 212), 483: b"%011o\0" % 1000}), b"x" * 512), "map"),
        "an old sparse map that is too long": (raw_tar(header(size=512, kind=b"S", magic=b"ustar  \0", patch={
            386: b"%011o\0%011o\0" % (0, 1 << 30), 483: b"%011o\0" % 1000}), b"x" * 512), "map"),
    }
    for name, (raw, says) in rows.items():
        refused(m, v, name, Image([raw], compression="none"), says)
    xattrs = b"".join(b"29 SCHILY.xattr.user.a%04d=x\n" % i for i in range(2000))
    refused(m, v, "2000 attributes", Image([raw_tar(pax(xattrs), header())]), "xattr")


def bombs(m, v):
    """S26: much out of little."""
    def zeros(count):
        compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
        head = header(b"big", 0, raw_size=struct.pack(">BxxxQ", 0x80, count))
        digest = hashlib.sha256(head)
        data = compressor.compress(head)
        chunk = bytes(1 << 20)
        for _ in range(count >> 20):
            data += compressor.compress(chunk)
            digest.update(chunk)
        tail = bytes(1024)
        digest.update(tail)
        return data + compressor.compress(tail) + compressor.flush(), "sha256:" + digest.hexdigest()

    data, diff_id = zeros(64 << 20)
    img = Image([b""])
    img.packed = lambda raw: (data, ".tar+gzip")
    img.config["rootfs"]["diff_ids"] = [diff_id]
    store, result = load(m, img, before=["/usr/bin/time", "-f", "%M", "-o", m.dir + "/rss"] if os.path.exists("/usr/bin/time") else [])
    tap.ok(result.status == 0, f"{m.label}: 64 MiB out of 64 kB come in", result)
    m.remove(store)
    refused(m, v, "a file larger than the disk", Image([raw_tar(header(b"big", 0, raw_size=struct.pack(">BxxxQ", 0x80, 1 << 50)))]), "than the")
    twice = Image([Layer()])
    twice.packed = lambda raw: (gzip.compress(gzip.compress(raw)), ".tar+gzip")
    refused(m, v, "gzip inside gzip", twice)
    many = Layer()
    for i in range(20000):
        many.file(f"f{i}")
    store, result = load(m, Image([many]))
    tap.ok(result.status == 0, f"{m.label}: 20000 entries come in", result)
    m.remove(store)
    if shutil.which("zstd"):
        big = Image([Layer().file("f", "x")])
        big.packed = lambda raw: (subprocess.run(["zstd", "-q", "-c", "--long=31", "--ultra", "-22", "--no-check"], input=raw + bytes(200 << 20),
                                                 stdout=subprocess.PIPE, check=True).stdout, ".tar+zstd")
        big.config["rootfs"]["diff_ids"] = ["sha256:" + hashlib.sha256(big.raw[0] + bytes(200 << 20)).hexdigest()]
        store, result = load(m, big)
        window = "zstd window of 2 GB"
        tap.ok(result.status == 125 and one_line(result), f"{m.label}: a {window} is refused", result)


def streams(m, v):
    """S27: damaged compressed streams end, and in one line."""
    raw = Layer().file("bin/busybox", open("/bin/busybox", "rb").read()[:300000]).bytes()
    packed = {"gzip": gzip.compress(raw)}
    if shutil.which("zstd"):
        packed["zstd"] = subprocess.run(["zstd", "-q", "-c"], input=raw, stdout=subprocess.PIPE, check=True).stdout
    for name, good in packed.items():
        wrong = []
        step = len(good) // (12 if m.root else 63)
        for at in range(1, len(good), step):
            for kind in ("flipped", "cut"):
                data = good[:at] if kind == "cut" else good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1:]
                img = Image([raw])
                img.packed = lambda _, d=data, n=name: (d, ".tar+" + n)
                store, result = load(m, img)
                if result.status != 125 or not one_line(result) or m.names(store) or m.leftovers(store):
                    wrong.append(f"{kind} at {at}: {result}")
        tap.ok(not wrong, f"{m.label}: {name} flipped or cut at {2 * len(range(1, len(good), step))} places", "\n".join(wrong))
    img = Image([raw])
    img.packed = lambda r: (gzip.compress(r) + b"more", ".tar+gzip")
    refused(m, v, "bytes behind the gzip stream", img)
    # the same content in other bytes: only the digest of the blob tells
    path = os.path.join(m.public, "other")
    del img.packed
    img.write_layout(path, "x")
    blob = max((os.path.join(path, "blobs/sha256", n) for n in os.listdir(path + "/blobs/sha256")), key=os.path.getsize)
    with open(blob, "r+b") as f:
        f.seek(4)  # the time in gzip's header
        f.write(b"\1")
    store = m.store()
    result = m.run(store, "load", "--input", path)
    tap.ok(result.status == 125 and one_line(result) and "its digest is" in result.err and m.names(store) == [],
           f"{m.label}: a layer packed otherwise than its digest says is refused", result)
    shutil.rmtree(path)


def layouts(m, v):
    """S30, S31: manifests and directories that lie."""
    path = os.path.join(m.public, "lying")
    img = Image([Layer().file("f", "x")], Cmd=["x"])

    def fresh():
        shutil.rmtree(path, ignore_errors=True)
        img.write_layout(path, "x")
        index = json.load(open(path + "/index.json"))
        manifest_path = path + "/blobs/sha256/" + index["manifests"][0]["digest"][7:]
        return index, json.load(open(manifest_path)), manifest_path

    def write_index(index):
        with open(path + "/index.json", "w") as f:
            f.write(index if isinstance(index, str) else json.dumps(index))

    def rewrite(manifest):
        data = image.dump(manifest)
        image.write(path + "/blobs/sha256", image.digest(data)[7:], data)
        write_index({"schemaVersion": 2, "manifests": [{"mediaType": image.MEDIA + "manifest.v1+json", "digest": image.digest(data), "size": len(data)}]})

    def bad(name):
        store = m.store()
        result = m.run(store, "load", "--input", path, timeout=60)
        tap.ok(result.status == 125 and one_line(result) and m.names(store) == [] and not m.leftovers(store) and v.intact(),
               f"{m.label}: {name} is refused", result)

    for text in ("", "{", "[]", "null", '{"schemaVersion":2}', '{"schemaVersion":2,"manifests":[]}', '{"schemaVersion":2,"manifests":[1]}',
                 '{"schemaVersion":2,"manifests":{}}', "[" * 200000, '{"schemaVersion":2,"manifests":[{"digest":"sha256:' + "../" * 22 + '"}]}'):
        fresh()
        write_index(text)
        bad(f"an index of {text[:60]!r}")
    fresh()
    with open(path + "/index.json", "wb") as f:
        f.truncate(1 << 30)
    bad("an index of 1 GB")
    for change in ({"size": -1}, {"size": 7}, {"size": None}, {"size": "7"}, {"size": 1 << 62}, {"digest": "sha512:" + "0" * 128},
                   {"digest": "sha256:" + "0" * 64}, {"digest": "SHA256:" + "0" * 64}, {"digest": None}):
        index, _, _ = fresh()
        index["manifests"][0].update(change)
        write_index(index)
        bad(f"a descriptor with {change}")
        _, manifest, _ = fresh()
        manifest["layers"][0].update(change)
        rewrite(manifest)
        bad(f"a layer with {change}")
        _, manifest, _ = fresh()
        manifest["config"].update(change)
        rewrite(manifest)
        bad(f"a config with {change}")
    for change in ({"manifests": []}, {"layers": None}, {"layers": []}, {"config": None}, {"schemaVersion": 1}, {"schemaVersion": "2"},
                   {"mediaType": image.MEDIA + "index.v1+json"}, {"layers": "x"}):
        _, manifest, _ = fresh()
        manifest.update(change)
        rewrite(manifest)
        bad(f"a manifest with {change}")
    index, _, manifest_path = fresh()
    with open(manifest_path, "ab") as f:
        f.write(b" ")
    bad("a manifest with a byte too many")
    for name, make in (("a FIFO", lambda p: os.mkfifo(p, 0o644)), ("a symlink", lambda p: os.symlink("/etc/passwd", p)),
                       ("a link to /dev/zero", lambda p: os.symlink("/dev/zero", p)),
                       ("a directory", os.mkdir), ("nothing", lambda p: None)):
        index, manifest, _ = fresh()
        for what in (manifest["layers"][0]["digest"], manifest["config"]["digest"], index["manifests"][0]["digest"]):
            fresh()
            blob = path + "/blobs/sha256/" + what[7:]
            os.unlink(blob)
            make(blob)
            bad(f"{name} as a blob")
    fresh()
    shutil.rmtree(path + "/blobs")
    os.symlink(v.path, path + "/blobs")
    bad("a symlink as the directory of blobs")
    fresh()
    os.unlink(path + "/index.json")
    os.mkfifo(path + "/index.json", 0o644)
    bad("a FIFO as the index")
    configs = ({"StopSignal": "99999999999"}, {"Entrypoint": "sh"}, {"Cmd": ["x" * 3000000]}, {"Env": ["A=" + "x" * 200000]},
               {"User": "root\x1b]0;pwn\x07"}, {"Volumes": ["/x"]}, {"Healthcheck": {"Test": "x"}}, {"Labels": {"a": 1}},
               {"Healthcheck": {"Test": ["CMD", "x"], "Interval": -1}}, {"Env": [f"A{i}=" for i in range(1000000)]},
               {"WorkingDir": "/" + "d/" * 5000}, {"ExposedPorts": {"x/y": {}}},
               {"ExposedPorts": {"99999/tcp": {}}}, {"Env": "A=1"}, {"Cmd": {"a": "b"}}, {"StopSignal": 9}, {"Cmd": ["a\0b"]})
    for config in configs:
        img = Image([Layer().file("f", "x")], **config)
        fresh()
        bad(f"a config with {str(config)[:60]}")
    img = Image([Layer().file("f", "x")])
    img.config["x"] = 1
    dump = image.dump
    image.dump = lambda value: dump(value).replace(b'"x":1', b'"x":' + b"[" * 100000 + b"]" * 100000)
    fresh()
    image.dump = dump
    bad("a config nested 100,000 deep")
    del img.config["x"]
    img.config["rootfs"]["diff_ids"] = ["sha256:" + "0" * 64]
    fresh()
    bad("a wrong diff ID")
    img.config["rootfs"]["diff_ids"] = []
    fresh()
    bad("a layer without a diff ID")
    img.config["os"] = "windows"
    fresh()
    bad("an image for windows")
    with open(path + ".tar", "wb") as f:
        tar = tarfile.open(fileobj=f, mode="w")
        for name in ("index.json", "oci-layout"):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "../../../.." + v.path + "/secret"
            tar.addfile(info)
        tar.close()
    path += ".tar"
    bad("an archive whose index is a symlink out")
    with open(path, "wb") as f:
        tar = tarfile.open(fileobj=f, mode="w")
        for name, link in (("index.json", "a"), ("a", "b"), ("b", "a")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
        tar.close()
    bad("an archive of links in a circle")
    img.config["os"] = "linux"
    img.config["rootfs"]["diff_ids"] = [image.digest(img.raw[0])]
    img.write_layout(path + ".sound", "x")
    for prefix in "../", "blobs/../../":
        with tarfile.open(path, "w") as tar:
            for place, _, names in os.walk(path + ".sound"):
                for name in names:
                    member = os.path.relpath(os.path.join(place, name), path + ".sound")
                    tar.add(os.path.join(place, name), prefix + member if member.startswith("blobs") else member)
        bad(f"an archive whose blobs are named {prefix}blobs")
    shutil.rmtree(path + ".sound")
    for name, content in (("an empty file", b""), ("a text", b"no archive\n"), ("zeros", bytes(10240)), ("gzip of a text", gzip.compress(b"x"))):
        with open(path, "wb") as f:
            f.write(content)
        bad(name)


for machine in machines():
    victim = Victim(machine)
    for test in (paths, kinds, tars, bombs, streams, layouts):
        test(machine, victim)
    machine.end()
tap.finish()
