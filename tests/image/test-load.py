# SPDX-License-Identifier: Apache-2.0
"""Images come in as they are: every form, every compression, everything that a layer can say; and nothing that is damaged."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import random
import shutil
import subprocess
import tarfile

from harness import Machine, Tap, image, machines

tap = Tap()
Layer, Image = image.Layer, image.Image
NS = 1000000000


def busybox():
    return Layer().dir("bin").file("bin/busybox", open("/bin/busybox", "rb").read(), mode=0o755).symlink("bin/sh", "busybox")


def loads(m, name, path, wanted, **kw):
    store = m.store()
    result = m.run(store, "load", **(kw or {})) if kw else m.run(store, "load", "--input", path)
    good = result.status == 0 and m.names(store) == wanted and not m.check_store(store) and not m.leftovers(store)
    tap.ok(good, f"{m.label}: {name}", f"{result}\nnames: {m.names(store)}\n{m.check_store(store)}{m.leftovers(store)}")
    return store


def forms(m):
    img = Image([busybox(), Layer().file("etc/os-release", "x")], Cmd=["sh"])
    d = m.public
    for compression in ("gzip", "zstd", "none"):
        if compression == "zstd" and not shutil.which("zstd"):
            tap.skip(f"{m.label}: zstd layers", "zstd is not installed")
            continue
        img.compression = compression
        img.write_layout(f"{d}/layout", "web:1")
        loads(m, f"a layout directory, {compression}", f"{d}/layout", ["localhost/web:1"])
        shutil.rmtree(f"{d}/layout")
        img.write_archive(f"{d}/a.tar", "quay.io/a/b:c")
        loads(m, f"an archive, {compression}", f"{d}/a.tar", ["quay.io/a/b:c"])
    img.write_docker(f"{d}/d.tar", "busybox:1")
    loads(m, "a docker-archive", f"{d}/d.tar", ["docker.io/library/busybox:1"])
    plain = open(f"{d}/a.tar", "rb").read()
    for name, pack in (("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)):
        open(f"{d}/a.tar.{name}", "wb").write(pack(plain))
        loads(m, f"an archive in {name}", f"{d}/a.tar.{name}", ["quay.io/a/b:c"])
    loads(m, "an archive by the standard input", None, ["quay.io/a/b:c"], stdin=f"{d}/a.tar")
    loads(m, "a compressed one by the standard input", None, ["quay.io/a/b:c"], stdin=f"{d}/a.tar.gz")
    img.write_archive(f"{d}/n.tar", "")
    loads(m, "an image without a name", f"{d}/n.tar", [""])
    # two gzip members one after the other, as pigz and estargz write them
    raw = img.raw[0]
    img.packed = lambda r: (gzip.compress(r[:700]) + gzip.compress(r[700:]), ".tar+gzip")
    img.write_archive(f"{d}/m.tar", "members")
    loads(m, "gzip members one after the other", f"{d}/m.tar", ["localhost/members:latest"])
    img.packed = lambda r: (lzma.compress(r), ".tar+xz")
    img.write_archive(f"{d}/x.tar", "xz")
    loads(m, "layers in xz", f"{d}/x.tar", ["localhost/xz:latest"])
    del img.packed
    assert raw == img.raw[0]


def index_of(m):
    """An index of two platforms, and one of them is this machine's."""
    d = m.public
    mine, other = Image([busybox()], Cmd=["mine"]), Image([Layer().file("x", "x")], Cmd=["other"])
    other.config["architecture"] = "s390x"
    path = f"{d}/multi"
    entries = []
    for img in (other, mine):
        img.write_layout(path, "")
        entry = json.load(open(path + "/index.json"))["manifests"][0]
        entry["platform"] = {"os": "linux", "architecture": img.config["architecture"]}
        entries.append(entry)
    data = image.dump({"schemaVersion": 2, "mediaType": image.MEDIA + "index.v1+json", "manifests": entries})
    image.write(path + "/blobs/sha256", image.digest(data)[7:], data)
    outer = {"mediaType": image.MEDIA + "index.v1+json", "digest": image.digest(data), "size": len(data),
             "annotations": {"org.opencontainers.image.ref.name": "multi"}}
    image.write(path, "index.json", image.dump({"schemaVersion": 2, "manifests": [outer]}))
    store = loads(m, "an index of several platforms", path, ["localhost/multi:latest"])
    blobs = os.listdir(store + "/images/blobs/sha256")
    tap.ok(image.digest(image.dump(mine.config))[7:] in blobs and len(blobs) == 2, f"{m.label}: ... of which the machine's comes in", blobs)
    image.write(path, "index.json", image.dump({"schemaVersion": 2, "manifests": [dict(outer, annotations={}, **entries[0])]}))
    result = m.run(m.store(), "load", "--input", path)
    tap.ok(result.status == 125 and "s390x" in result.err, f"{m.label}: another architecture's image is refused by name", result)


def not_images(m):
    """What a person gives by mistake is named."""
    d = m.public
    image.write(d, "text", b"root:x:0:0:root:/root:/bin/sh\n" * 40)
    os.makedirs(f"{d}/dir", exist_ok=True)
    image.write(f"{d}/dir", "manifest.json", image.dump({"schemaVersion": 2, "layers": []}))
    Image([busybox()]).write_archive(f"{d}/given.tar", "given")
    store = loads(m, "an image to save", f"{d}/given.tar", ["localhost/given:latest"])
    for name, words, reason in (("a text", ["load", "--input", f"{d}/text"], "it is no tar archive"),
                                ("a directory of dir: without its parts", ["load", "--input", f"{d}/dir"], "the image config: not a JSON object"),
                                ("a place that is not there", ["save", "--output", f"{d}/nowhere/f", "--", "given"],
                                 f"cannot write to '{d}/nowhere/f'")):
        result = m.run(store, *words)
        tap.ok(result.status == 125 and reason in result.err, f"{m.label}: {name} is refused by name", result)


def written_by_others(m):
    d = m.public
    img = Image([busybox(), Layer().file("bin/.wh.sh").file("data/x", "x", uid=5)], Cmd=["sh"])
    img.write_archive(f"{d}/o.tar", "o:1")
    if not shutil.which("skopeo"):
        tap.skip(f"{m.label}: images written by skopeo", "skopeo is not installed")
        return
    for kind in ("docker-archive", "oci-archive", "oci"):
        path = f"{d}/by-skopeo-{kind}"
        subprocess.run(["skopeo", "--tmpdir", d, "copy", "-q", f"oci-archive:{d}/o.tar", f"{kind}:{path}:localhost/sk:1"], check=True)
        loads(m, f"{kind} written by skopeo", path, ["localhost/sk:1"])
    path = f"{d}/by-skopeo-zstd"
    subprocess.run(["skopeo", "--tmpdir", d, "copy", "-q", "--dest-compress-format", "zstd", "--dest-compress", f"oci-archive:{d}/o.tar",
                    f"oci:{path}:z"], check=True)
    loads(m, "zstd layers written by skopeo", path, ["localhost/z:latest"])
    if os.geteuid() != 0 or not shutil.which("buildah") or not shutil.which("podman"):
        tap.skip(f"{m.label}: images written by buildah and podman", "they are not installed, or this is not root")
        return
    storage = ["--root", f"{d}/storage", "--runroot", f"{d}/runroot", "--storage-driver", "vfs"]

    def tool(name, *words):
        return subprocess.run([name, *storage, *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=os.environ | {"BUILDAH_ISOLATION": "chroot", "TMPDIR": d}).stdout.decode().strip()

    container = tool("buildah", "from", "scratch")
    tool("buildah", "add", container, "/bin/busybox", "/bin/busybox")
    tool("buildah", "config", "--cmd", '["/bin/busybox"]', "--env", "A=1", container)
    tool("buildah", "commit", "-q", container, "built")
    tool("buildah", "push", "-q", "built", f"oci-archive:{d}/by-buildah.tar:built")
    loads(m, "an archive written by buildah", f"{d}/by-buildah.tar", ["localhost/built:latest"])
    for kind in ("docker-archive", "oci-archive"):
        tool("podman", "save", "-q", "--format", kind, "-o", f"{d}/by-podman-{kind}.tar", "built")
        loads(m, f"{kind} written by podman", f"{d}/by-podman-{kind}.tar", ["localhost/built:latest"])


def content(m):
    """Everything that a layer can say, compared file by file."""
    d = m.public
    odd = "new\nline\x1b[31m"
    layer = (Layer().dir("./", mode=0o750, mtime=5).dir("d", mode=0o700, uid=3, gid=4, mtime=1234567890)
             .file("d/f", "text", mode=0o4711, uid=1000, gid=2000, mtime=1000000000)
             .file("implicit/deep/file", "x").symlink("s", "/etc/passwd", uid=7).hardlink("h", "d/f").fifo("p", mode=0o600)
             .file(odd, "odd").file("e\u0301", "decomposed").file("x" * 200 + "/" + "y" * 200, "long")
             .file("attr", "a", xattrs={"user.colour": "blue", "trusted.x": "no", "user.overlay.opaque": "y",
                                        "user.fuseoverlayfs.x": "y", "security.selinux": "no"})
             .file("null", "").dir("sticky", mode=0o1777).file("/absolute", "a").file("./d//g", "g")
             .file("sub/.wh..wh..opq").file("gone/.wh.hidden").file(".wh.top").node("dev", "c", 1, 3).node("zero", "c", 0, 0)
             .file("twice", "one").file("twice", "two").symlink("again", "x").dir("again"))
    # a number that needs base 256, and times before 1970 and with a fraction
    for name, time in (("old", -5.25), ("fraction", 7.125)):
        info = tarfile.TarInfo(name)
        info.mtime = time
        layer.tar.addfile(info)
    img = Image([layer], Cmd=["x"])
    img.write_archive(f"{d}/content.tar", "content")
    store = loads(m, "a layer of all kinds", f"{d}/content.tar", ["localhost/content:latest"])
    tree = m.tree(store, image.digest(img.raw[0]))

    def entry(name):
        return tree.get(name.encode().decode("latin-1"), {"kind": None, "mode": -1, "uid": -1, "gid": -1, "mtime": None, "xattrs": None})

    def check(name, **wanted):
        found = {k: entry(name).get(k) for k in wanted}
        tap.same(found, wanted, f"{m.label}: ... {name!r}")

    sha = hashlib.sha256
    check(".", kind="dir", mode=0o750, mtime=5 * NS)
    check("d", kind="dir", mode=0o700, uid=3, gid=4, mtime=1234567890 * NS)
    check("d/f", kind="file", mode=0o4711, uid=1000, gid=2000, mtime=1000000000 * NS, links=2, sha256=sha(b"text").hexdigest())
    tap.same(entry("h").get("inode"), entry("d/f").get("inode"), f"{m.label}: ... hard links are one file")
    check("implicit", kind="dir", mode=0o755, uid=0)
    check("s", kind="symlink", link="/etc/passwd", uid=7)
    check("p", kind="fifo", mode=0o600)
    check(odd, kind="file")
    check("e\u0301", sha256=sha(b"decomposed").hexdigest())
    check("x" * 200 + "/" + "y" * 200, kind="file")
    check("attr", xattrs={"user.colour": "blue"})
    check("sticky", mode=0o1777)
    check("absolute", kind="file")
    check("sub", xattrs={"user.overlay.opaque": "y"})
    check("gone/hidden", kind="char", device=[0, 0])
    check("top", kind="char", device=[0, 0])
    check("zero", kind=None)
    check("dev", kind="char" if m.root else None)
    check("twice", sha256=sha(b"two").hexdigest())
    check("again", kind="dir")
    check("old", mtime=-5250000000)
    check("fraction", mtime=7125000000)
    tap.ok(not any(".wh." in name for name in tree), f"{m.label}: ... and no mark of a whiteout is left", list(tree))
    record = json.load(open(os.path.join(store, "layers", image.digest(img.raw[0])[7:], "layer.json")))
    tap.same(record.get("devicesSkipped"), 1 if m.root else 2, f"{m.label}: ... the record counts the devices that were left out")


def sparse(m):
    """GNU tar's four ways to write a file with holes, and the names and numbers of its own form."""
    d = m.public
    if not shutil.which("tar"):
        tap.skip(f"{m.label}: sparse files", "tar is not installed")
        return
    source = f"{d}/sparse"
    os.makedirs(source)
    with open(source + "/holes", "wb") as f:
        for i in range(40):
            f.seek(i * 100000)
            f.write(b"data%d" % i)
        f.truncate(5000000)
    with open(source + "/empty", "wb") as f:
        f.truncate(1 << 20)
    os.makedirs(source + "/" + "n" * 150 + "/" + "m" * 150)
    for form in (["--format=gnu"], ["--format=pax", "--sparse-version=0.0"], ["--format=pax", "--sparse-version=0.1"],
                 ["--format=pax", "--sparse-version=1.0"]):
        raw = subprocess.run(["tar", "-C", source, "-cf", "-", "--sparse", "--numeric-owner", "--owner=0", "--group=0", *form, "."],
                             stdout=subprocess.PIPE, check=True).stdout
        img = Image([raw])
        img.write_archive(f"{d}/sparse.tar", "sparse")
        store = loads(m, f"sparse files, {' '.join(form)}", f"{d}/sparse.tar", ["localhost/sparse:latest"])
        tree = m.tree(store, image.digest(raw))
        wanted = hashlib.sha256(open(source + "/holes", "rb").read()).hexdigest()
        tap.ok(tree.get("holes", {}).get("sha256") == wanted and tree.get("empty", {}).get("size") == 1 << 20 and
               "n" * 150 + "/" + "m" * 150 in tree, f"{m.label}: ... are what they were", {k: tree[k] for k in list(tree)[:5]})


def share(m):
    """Layers are kept once, and an image that is loaded again changes nothing."""
    d = m.public
    base = busybox().bytes()
    one, two = Image([base, Layer().file("1", "1")]), Image([base, Layer().file("2", "2"), base])
    one.write_archive(f"{d}/one.tar", "one")
    two.write_archive(f"{d}/two.tar", "two")
    store = m.store()
    for file in ("one", "two", "one"):
        m.run(store, "load", "--input", f"{d}/{file}.tar")
    tap.same((m.names(store), len(os.listdir(store + "/layers")), m.check_store(store), m.leftovers(store)),
             (["localhost/one:latest", "localhost/two:latest"], 3, "", []), f"{m.label}: two images share a layer")
    tap.same(oct(os.stat(store).st_mode & 0o777), "0o700", f"{m.label}: the store is the user's alone")
    share_holes(m)


def share_holes(m):
    """Equal files of two layers are one; but nobody reads through terabytes of holes to find that out."""
    d = m.public
    if not shutil.which("tar"):
        tap.skip(f"{m.label}: files of several layers", "tar is not installed")
        return
    source = f"{d}/shared"
    os.makedirs(source)
    content = random.Random(1).randbytes(40000)  # two of them: layers of up to 64 KiB have a worker in common, and share nothing
    with open(source + "/data", "wb") as f:
        f.write(content)
    with open(source + "/some-holes", "wb") as f:
        f.write(content)
        f.truncate(100000)
    with open(source + "/holes", "wb") as f:
        f.truncate(64 << 20)
    raw = [subprocess.run(["tar", "-C", source, "-cf", "-", "--sparse", "--format=pax", "--owner=0", "--group=0", *names],
                          stdout=subprocess.PIPE, check=True).stdout
           for names in (["data", "some-holes", "holes"], ["holes", "some-holes", "data"])]
    Image(raw).write_archive(f"{d}/shared.tar", "shared")
    store = loads(m, "an image with equal files", f"{d}/shared.tar", ["localhost/shared:latest"])
    layers = [f"{store}/layers/{image.digest(r)[7:]}/diff/" for r in raw]
    same = [os.path.samefile(layers[0] + name, layers[1] + name) for name in ("data", "some-holes", "holes")]
    tap.same(same, [True, True, False], f"{m.label}: ... which are stored once, but for one that is a hole")


def imports(m):
    d = m.public
    with open(f"{d}/root.tar.gz", "wb") as f:
        f.write(gzip.compress(busybox().bytes()))
    store = m.store()
    result = m.run(store, "import", "--message", "hello", "-c", 'CMD ["/bin/sh", "-c"]', "-c", "ENV A=1 B='2 3'", "-c", "EXPOSE 80 53/udp",
                   "-c", "LABEL l=\"x y\"", "-c", "USER 5:6", "-c", "WORKDIR /w", "-c", "VOLUME /v", "-c", "STOPSIGNAL SIGINT",
                   "-c", "ENTRYPOINT run me", f"{d}/root.tar.gz", "imported:1")
    tap.ok(result.status == 0 and m.names(store) == ["localhost/imported:1"], f"{m.label}: import", result)
    config = json.load(open(f"{store}/images/blobs/sha256/{result.out.strip()[7:]}"))
    tap.same(config["config"], {"User": "5:6", "Env": ["A=1", "B=2 3"], "Entrypoint": ["/bin/sh", "-c", "run me"], "Cmd": ["/bin/sh", "-c"],
                                "WorkingDir": "/w", "Labels": {"l": "x y"}, "StopSignal": "SIGINT", "Volumes": {"/v": {}},
                                "ExposedPorts": {"80/tcp": {}, "53/udp": {}}}, f"{m.label}: ... with its changes")
    tap.same((config["history"][0].get("comment"), m.check_store(store)), ("hello", ""), f"{m.label}: ... and its message")
    result = m.run(store, "import", "-", stdin=f"{d}/root.tar.gz")
    tap.ok(result.status == 0 and m.names(store) == ["", "localhost/imported:1"], f"{m.label}: import of the standard input", result)
    for change in ("RUN x", "CMD", "EXPOSE http", "ENV", "STOPSIGNAL SIGNONE", "VOLUME relative", "LABEL x"):
        result = m.run(store, "import", "-c", change, f"{d}/root.tar.gz")
        tap.ok(result.status == 125 and result.err.count("\n") == 1, f"{m.label}: import --change {change!r} is refused", result)


def saves(m):
    """What is saved and loaded again is the same image, whatever its tar streams looked like."""
    d = m.public
    odd = Layer().file("a\nb", "x").fifo("p").symlink("s", "/x").file("n" * 150, "long").file("empty").file(".wh.gone").node("dev", "c", 1, 3)
    odd.file("closed", "secret", mode=0, uid=9).dir("shut", mode=0, uid=9).file("shut/in", "x" * 70000).hardlink("h", "closed")
    holes = b""
    if shutil.which("tar"):
        with open(f"{d}/hole", "wb") as f:
            f.seek(1 << 20)
            f.write(b"end")
        holes = subprocess.run(["tar", "-C", d, "--sparse", "--format=gnu", "--owner=0", "--group=0", "-cf", "-", "hole"],
                               stdout=subprocess.PIPE, check=True).stdout
    img = Image([busybox(), odd, *([holes] if holes else []), Layer().bytes() + bytes(20000)], Cmd=["sh"], Labels={"a": "b"})
    img.write_archive(f"{d}/in.tar", "localhost/saved:1")
    store = m.store()
    m.run(store, "load", "--input", f"{d}/in.tar")
    os.chmod(d, 0o777)
    wanted = image.digest(image.dump(img.config))[7:]
    for form in ("docker-archive", "oci-archive", "oci-dir"):
        out = f"{d}/out-{m.label}-{form}"
        result = m.run(store, "save", "--save-format", form, "--output", out, "saved:1")
        again = m.store()
        loaded = m.run(again, "load", "--input", out, "--format", "json")
        tap.ok(result.status == 0 and loaded.status == 0 and json.loads(loaded.out) == {"name": "localhost/saved:1", "id": wanted} and
               not m.check_store(again), f"{m.label}: saved as {form} and loaded again it has its ID", f"{result}\n{loaded}")
        if shutil.which("skopeo"):
            kind = {"oci-dir": "oci"}.get(form, form)
            found = subprocess.run(["skopeo", "--tmpdir", d, "copy", "-q", f"{kind}:{out}", f"dir:{out}.dir"], stderr=subprocess.PIPE)
            tap.ok(found.returncode == 0, f"{m.label}: ... and skopeo reads it", found.stderr.decode())
    result = m.run(store, "save", "--save-format", "oci-archive", "--output", f"{d}/out-{m.label}-no", "no-such")
    tap.ok(result.status == 125 and not os.path.exists(f"{d}/out-{m.label}-no"), f"{m.label}: what is not there is not saved", result)
    layer = store + "/layers/" + image.digest(img.raw[0])[7:] + "/diff/bin/busybox"
    with open(layer, "r+b") as f:
        f.write(b"changed")
    result = m.run(store, "save", "--output", f"{d}/out-{m.label}-changed", "saved:1")
    tap.ok(result.status == 125 and "not what they were" in result.err and not os.path.exists(f"{d}/out-{m.label}-changed"),
           f"{m.label}: a layer that was changed is not saved", result)
    twice = Image([Layer().file("twice", "one").file("twice", "two")])
    twice.write_archive(f"{d}/twice.tar", "twice")
    m.run(store, "load", "--input", f"{d}/twice.tar")
    result = m.run(store, "save", "--output", f"{d}/out-{m.label}-twice", "twice")
    tap.ok(result.status == 125 and "has no record" in result.err, f"{m.label}: a layer that cannot be made again is refused", result)


for machine in machines():
    for test in (saves, forms, index_of, not_images, written_by_others, content, sparse, share, imports):
        test(machine)
    machine.end()
tap.finish()
