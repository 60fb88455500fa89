# SPDX-License-Identifier: Apache-2.0
"""Container images made by hand: layers as tar files, wrapped as an OCI image layout or a docker-archive.

Nothing here checks what it is given: the hostile images of the tests are made of the same parts.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

MEDIA = "application/vnd.oci.image."
TIME = 1767225600  # one modification time for all: the same image has the same digest wherever it is made


class Layer:
    """A tar archive in the making; entries come in the order in which they are added."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.PAX_FORMAT)

    def entry(self, name, kind=tarfile.REGTYPE, data=b"", link="", mode=0o755, uid=0, gid=0, mtime=TIME, major=0,
              minor=0, xattrs=None):
        info = tarfile.TarInfo()
        info.name, info.type, info.linkname, info.mode, info.mtime = name, kind, link, mode, mtime
        info.uid, info.gid, info.devmajor, info.devminor, info.size = uid, gid, major, minor, len(data)
        for key, value in (xattrs or {}).items():
            info.pax_headers["SCHILY.xattr." + key] = value
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def dir(self, name, **kw):
        return self.entry(name, tarfile.DIRTYPE, **kw)

    def file(self, name, data="", **kw):
        kw.setdefault("mode", 0o644)
        return self.entry(name, data=data.encode() if isinstance(data, str) else data, **kw)

    def symlink(self, name, target, **kw):
        return self.entry(name, tarfile.SYMTYPE, link=target, mode=0o777, **kw)

    def hardlink(self, name, target, **kw):
        return self.entry(name, tarfile.LNKTYPE, link=target, **kw)

    def fifo(self, name, **kw):
        return self.entry(name, tarfile.FIFOTYPE, **kw)

    def node(self, name, kind, major, minor, **kw):
        return self.entry(name, tarfile.CHRTYPE if kind == "c" else tarfile.BLKTYPE, major=major, minor=minor, **kw)

    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


class Image:
    """Layers and a config; `layers` are Layer objects or raw tar bytes."""

    def __init__(self, layers, compression="gzip", **config):
        self.raw = [l.bytes() if isinstance(l, Layer) else l for l in layers]
        self.compression = compression
        config.setdefault("Env", ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
        self.config = {
            "created": "2026-01-01T00:00:00Z",
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest(r) for r in self.raw]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "test"} for _ in self.raw],
        }

    def packed(self, raw):
        """The blob of a layer, and its media type's suffix."""
        if self.compression == "gzip":
            return gzip.compress(raw, 6, mtime=0), ".tar+gzip"
        if self.compression == "zstd":
            return subprocess.run(["zstd", "-q", "-c"], input=raw, stdout=subprocess.PIPE, check=True).stdout, ".tar+zstd"
        return raw, ".tar"

    def write_layout(self, path, name):
        """An OCI image layout in the directory `path`."""
        def blob(data, media):
            d = digest(data)
            with open(os.path.join(path, "blobs/sha256", d[7:]), "wb") as f:
                f.write(data)
            return {"mediaType": MEDIA + media, "digest": d, "size": len(data)}

        os.makedirs(os.path.join(path, "blobs/sha256"), exist_ok=True)
        layers = []
        for raw in self.raw:
            data, suffix = self.packed(raw)
            layers.append(blob(data, "layer.v1" + suffix))
        manifest = {"schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json",
                    "config": blob(dump(self.config), "config.v1+json"), "layers": layers}
        descriptor = blob(dump(manifest), "manifest.v1+json")
        if name:
            descriptor["annotations"] = {"org.opencontainers.image.ref.name": name}
        write(path, "index.json", dump({"schemaVersion": 2, "manifests": [descriptor]}))
        write(path, "oci-layout", dump({"imageLayoutVersion": "1.0.0"}))

    def write_archive(self, path, name):
        """The same as one tar file."""
        work = path + ".layout"
        shutil.rmtree(work, ignore_errors=True)
        self.write_layout(work, name)
        with tarfile.open(path, "w") as tar:
            for entry in sorted(os.listdir(work)):
                tar.add(os.path.join(work, entry), entry)
        shutil.rmtree(work)

    def write_docker(self, path, name):
        """A docker-archive, as `docker save` writes one."""
        with tarfile.open(path, "w") as tar:
            def add(name, data):
                info = tarfile.TarInfo(name)
                info.size, info.mode, info.mtime = len(data), 0o644, TIME
                tar.addfile(info, io.BytesIO(data))
            config = dump(self.config)
            names = []
            for raw in self.raw:
                names.append(digest(raw)[7:] + "/layer.tar")
                add(names[-1], raw)
            add(digest(config)[7:] + ".json", config)
            add("manifest.json", dump([{"Config": digest(config)[7:] + ".json", "RepoTags": [name], "Layers": names}]))


def write_index(path, name, images):
    """An OCI image layout whose one name is an index; `images` is a list of (platform, Image)."""
    entries = []
    for platform, image in images:
        image.write_layout(path, None)
        with open(os.path.join(path, "index.json")) as f:
            entries.append(json.load(f)["manifests"][0] | {"platform": platform})
    index = dump({"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": entries})
    write(os.path.join(path, "blobs/sha256"), digest(index)[7:], index)
    write(path, "index.json", dump({"schemaVersion": 2, "manifests": [{
        "mediaType": MEDIA + "index.v1+json", "digest": digest(index), "size": len(index),
        "annotations": {"org.opencontainers.image.ref.name": name}}]}))


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dump(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def write(directory, name, data):
    with open(os.path.join(directory, name), "wb") as f:
        f.write(data)


PASSWD = """root:x:0:0:root:/root:/bin/sh
1:x:0:0:a name made of digits:/root:/bin/sh
app:x:1000:1000:app:/home/app:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/sh
"""
GROUP = """root:x:0:
app:x:1000:
extra:x:2000:app
nobody:x:65534:
"""


def busybox_layer(busybox="/bin/busybox"):
    """A root file system of one program: Debian's busybox-static under the names of its applets."""
    with open(busybox, "rb") as f:
        program = f.read()
    applets = subprocess.run([busybox, "--list"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    layer = Layer()
    for name in ("bin", "etc", "proc", "sys", "dev", "run", "usr", "usr/bin", "var", "www", "home"):
        layer.dir(name)
    layer.dir("root", mode=0o700).dir("tmp", mode=0o1777).dir("home/app", uid=1000, gid=1000)
    layer.file("bin/busybox", program, mode=0o755)
    for name in applets:
        if name != "busybox":
            layer.symlink("bin/" + name, "busybox")
    layer.symlink("usr/bin/env", "../../bin/busybox")
    layer.file("etc/passwd", PASSWD).file("etc/group", GROUP).file("etc/not-a-program", "text\n")
    return layer


def busybox(**config):
    config.setdefault("Cmd", ["sh"])
    return Image([busybox_layer()], **config)


def web():
    """Serves one page on port 8080, in the foreground, and ends on SIGTERM: httpd as PID 1 has no handler of its own."""
    script = '#!/bin/sh\ntrap "exit 0" TERM\nhttpd -f -p 8080 -h /www &\necho "serving /www"\nwait\n'
    layer = Layer().file("www/index.html", "<h1>It works</h1>\n").file("bin/serve", script, mode=0o755)
    return Image([busybox_layer(), layer], Cmd=["/bin/serve"], WorkingDir="/www", ExposedPorts={"8080/tcp": {}},
                 Labels={"org.opencontainers.image.title": "web"})


def layers():
    """Five layers with what layers can say: replaced, removed and hidden files, owners, modes, times, links, xattrs."""
    first = (Layer().dir("data").file("data/kept", "kept\n").file("data/removed", "removed\n")
             .file("data/replaced", "old\n").dir("opaque").file("opaque/hidden", "hidden\n")
             .dir("gone").dir("gone/deep").file("gone/deep/file", "x").file("becomes-dir", "file\n")
             .dir("becomes-file").file("becomes-file/x", "x"))
    second = (Layer().file("data/.wh.removed").file("data/replaced", "new\n").dir("opaque")
              .file("opaque/.wh..wh..opq").file("opaque/shown", "shown\n").file(".wh.gone")
              .file(".wh.becomes-dir").dir("becomes-dir").file("becomes-dir/inside", "inside\n")
              .file(".wh.becomes-file").file("becomes-file", "now a file\n"))
    third = (Layer().file("owned", "o", uid=1000, gid=2000, mode=0o640).file("suid", "s", mode=0o4755)
             .file("time", "t", mtime=1000000000).file("hard-a", "linked\n").hardlink("hard-b", "hard-a")
             .symlink("soft", "data/kept").dir("sticky", mode=0o1777).fifo("fifo", mode=0o600)
             .file("with-xattr", "x", xattrs={"user.colour": "blue"}).file("näme with spaces\n", "odd\n"))
    fourth = Layer().dir("gone").file("gone/again", "again\n")
    fifth = Layer().file("data/last", "last\n")
    return Image([busybox_layer(), first, second, third, fourth, fifth], Cmd=["sh"], WorkingDir="/data",
                 User="app", Env=["PATH=/bin", "COLOUR=blue"], Entrypoint=["/bin/env"])


IMAGES = {"busybox": busybox, "web": web, "layers": layers}


def multi(path, name):
    """Busybox for this machine and two others, which differ in a file that says for whom they are."""
    own = busybox().config["architecture"]
    platforms = [{"os": "linux", "architecture": "s390x"}, {"os": "linux", "architecture": own},
                 {"os": "linux", "architecture": "arm", "variant": "v7"}]
    images = []
    for platform in platforms:
        image = Image([busybox_layer(), Layer().file("for", platform["architecture"] + "\n")], Cmd=["sh"])
        image.config |= platform
        images.append((platform, image))
    write_index(path, name, images)


def main(argv):
    if argv[1:2] == ["multi"] and len(argv) == 3:
        return multi(argv[2], "localhost/multi:latest")
    if len(argv) < 3 or argv[1] not in IMAGES:
        raise SystemExit("usage: image.py busybox|web|layers FILE [oci-archive|oci|docker-archive [gzip|zstd|none]]\n"
                         "       image.py multi DIRECTORY   (an OCI layout)")
    image = IMAGES[argv[1]]()
    kind = argv[3] if len(argv) > 3 else "oci-archive"
    image.compression = argv[4] if len(argv) > 4 else "gzip"
    name = f"localhost/{argv[1]}:latest"
    {"oci-archive": image.write_archive, "oci": image.write_layout, "docker-archive": image.write_docker}[kind](argv[2], name)


if __name__ == "__main__":
    import sys
    main(sys.argv)
