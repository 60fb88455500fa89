# SPDX-License-Identifier: Apache-2.0
"""What the faulty registry serves: for each fault of content a repository whose manifest, config or layer is wrong.

A fault is a function over Parts, which starts as a sound image of one layer that no other repository has. It changes the
parts before they are put together, or the result afterwards (`Repository`), and its first line says what is wrong."""

import gzip
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from image import Image, Layer, busybox_layer, digest, dump  # noqa: E402

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker.distribution."
MANIFEST, INDEX = OCI + "manifest.v1+json", OCI + "index.v1+json"
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
FAULTS = {}


def fault(function):
    FAULTS[function.__name__.replace("_", "-")] = function
    return function


class Repository:
    """Manifests by tag and digest, blobs by digest."""

    def __init__(self):
        self.manifests = {}  # "latest" or a digest: (media type or None, bytes)
        self.blobs = {}

    def add(self, data, media, *tags):
        for name in (digest(data), *tags):
            self.manifests[name] = media, data
        return {"mediaType": media, "digest": digest(data), "size": len(data)}


class Parts:
    """A sound image in the making."""

    def __init__(self, name, size=300000):
        seed = random.Random(name)
        layer = Layer().dir("data").file("data/noise", seed.randbytes(size)).file("data/name", name)
        self.set_layer(layer.bytes())
        self.repository = Repository()
        self.media = MANIFEST
        self.config_bytes = None
        self.manifest_bytes = None
        self.extra = {}

    def set_layer(self, raw, packed=None, diff_id=None, suffix="tar+gzip"):
        """The only layer: a tar, or bytes already compressed with the digest of what they become."""
        self.raw, self.packed = raw, gzip.compress(raw, 6, mtime=0) if packed is None else packed
        self.config = Image([b""], Cmd=["/bin/true"]).config
        self.config["rootfs"]["diff_ids"] = [diff_id or digest(raw)]
        self.layer = {"mediaType": OCI + "layer.v1." + suffix, "digest": digest(self.packed), "size": len(self.packed)}

    def manifest(self):
        config = self.config_bytes if self.config_bytes is not None else dump(self.config)
        self.config_digest = digest(config)
        self.repository.blobs |= {digest(self.packed): self.packed, self.config_digest: config}
        return {"schemaVersion": 2, "mediaType": self.media, "layers": [self.layer],
                "config": {"mediaType": OCI + "config.v1+json", "digest": self.config_digest, "size": len(config)}} | self.extra

    def seal(self, manifest=None):
        """The repository with the manifest as `latest`; a dict, or bytes as they are."""
        manifest = self.manifest() if manifest is None else manifest
        self.repository.add(dump(manifest) if isinstance(manifest, dict) else manifest, self.media, "latest")
        return self.repository


def build(fault_name, repository):
    parts = Parts(repository)
    function = FAULTS.get(fault_name)
    return (function(parts) if function else None) or parts.seal()


def flipped(data, at=None):
    at = len(data) // 2 if at is None else at
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]


def damage_blob(parts, which, change):
    """The manifest is that of the sound image; what is served for a blob is not."""
    repository = parts.seal()
    name = parts.layer["digest"] if which == "layer" else parts.config_digest
    repository.blobs[name] = change(repository.blobs[name])
    return repository


# ------------------------------------------------------------------------------------------------- digests and sizes

@fault
def baddigest(p):
    """A layer with one byte changed."""
    return damage_blob(p, "layer", flipped)


@fault
def baddigest_config(p):
    return damage_blob(p, "config", flipped)


@fault
def badlen(p):
    """A layer that is longer than its descriptor says, the digest being right for the longer one."""
    p.layer["size"] -= 7
    return p.seal()


@fault
def badlen_short(p):
    """A layer that is shorter than its descriptor says."""
    p.layer["size"] += 7
    return p.seal()


@fault
def badlen_more(p):
    """A layer with bytes after its end."""
    return damage_blob(p, "layer", lambda data: data + b"more")


@fault
def wrongbody(p):
    """Another image's layer in the place of the one that was asked for."""
    return damage_blob(p, "layer", lambda _: Parts("another").packed)


@fault
def diffid(p):
    """The layer is what the manifest says, but not what the config says."""
    p.config["rootfs"]["diff_ids"] = ["sha256:" + "0" * 64]


@fault
def diffid_count(p):
    p.config["rootfs"]["diff_ids"] *= 2


@fault
def mdigest(p):
    """Asked for a digest, it gives another manifest."""
    repository = p.seal()
    name = digest(repository.manifests["latest"][1])
    other = Parts("another").seal().manifests["latest"]
    repository.manifests[name] = other
    return repository


@fault
def mdigest_index(p):
    """The manifest that an index names is another one."""
    repository = p.seal()
    wanted = repository.add(dump(p.manifest()), MANIFEST) | {"platform": {"os": "linux", "architecture": ARCH}}
    repository.manifests[wanted["digest"]] = Parts("another").seal().manifests["latest"]
    repository.add(dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": [wanted]}), INDEX, "latest")
    return repository


def row(name, place, **change):
    """A fault that puts other words into the layer's or config's descriptor."""
    def function(p):
        manifest = p.manifest()
        (manifest["layers"][0] if place == "layer" else manifest["config"]).update(change)
        return p.seal(manifest)
    FAULTS[name] = function


for _place in "layer", "config":
    row(f"traversal-{_place}", _place, digest="sha256:../../../../../../../../etc/passwd")
    row(f"digest-none-{_place}", _place, digest=None)
    row(f"digest-md5-{_place}", _place, digest="md5:" + "0" * 32)
    row(f"digest-short-{_place}", _place, digest="sha256:" + "0" * 63)
    row(f"digest-upper-{_place}", _place, digest="sha256:" + "A" * 64)
    row(f"digest-query-{_place}", _place, digest="sha256:" + "0" * 64 + "?x=/../..")
    row(f"size-negative-{_place}", _place, size=-1)
    row(f"size-huge-{_place}", _place, size=1 << 62)
    row(f"size-overflow-{_place}", _place, size=1 << 64)
    row(f"size-text-{_place}", _place, size="300")
    row(f"size-fraction-{_place}", _place, size=300.5)
row("foreign-type", "layer", mediaType=DOCKER.replace("distribution.", "image.rootfs.foreign.diff.tar.gzip"))


# ----------------------------------------------------------------------------------------------- manifests that lie

@fault
def ambiguous(p):
    """Both a manifest and an index, by no media type of its own (the Content-Type says manifest)."""
    manifest = p.manifest() | {"manifests": [{"mediaType": MANIFEST, "digest": "sha256:" + "0" * 64, "size": 3}]}
    del manifest["mediaType"]
    return p.seal(manifest)


@fault
def ambiguous_type(p):
    """An index by its Content-Type, a manifest by its own words."""
    data = dump(p.manifest())
    p.repository.add(data, INDEX, "latest")
    return p.repository


@fault
def ambiguous_index(p):
    """A manifest by its Content-Type, an index by its own words."""
    entry = p.repository.add(dump(p.manifest()), MANIFEST)
    p.repository.add(dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}), MANIFEST, "latest")
    return p.repository


@fault
def ambiguous_both(p):
    """An index that has a config and layers, too."""
    manifest = p.manifest() | {"mediaType": INDEX, "manifests": [p.repository.add(dump(p.manifest()), MANIFEST)]}
    p.repository.add(dump(manifest), INDEX, "latest")
    return p.repository


@fault
def twice(p):
    """The same key twice: readers differ in which they take."""
    data = dump(p.manifest())
    return p.seal(data[:-1] + b',"layers":[]}')


@fault
def ctype(p):
    """A manifest under a type that is none of a manifest, without a type of its own."""
    manifest = p.manifest()
    del manifest["mediaType"]
    p.repository.add(dump(manifest), "text/html", "latest")
    return p.repository


@fault
def ctype_none(p):
    manifest = p.manifest()
    del manifest["mediaType"]
    p.repository.add(dump(manifest), None, "latest")
    return p.repository


@fault
def schema1(p):
    data = dump({"schemaVersion": 1, "name": "x", "tag": "latest", "architecture": ARCH, "fsLayers": [{"blobSum": p.layer["digest"]}],
                 "history": [{"v1Compatibility": "{}"}]})
    p.repository.add(data, DOCKER + "manifest.v1+prettyjws", "latest")
    return p.repository


@fault
def html(p):
    """The login page of a hotel's network."""
    p.repository.manifests["latest"] = "text/html", b"<!DOCTYPE html><title>Welcome\x1b]0;owned\x07</title>"
    return p.repository


@fault
def empty(p):
    p.repository.manifests["latest"] = MANIFEST, b""
    return p.repository


@fault
def manifest_null(p):
    return p.seal(b"null")


@fault
def manifest_nul(p):
    return p.seal(dump(p.manifest()).replace(b'"schemaVersion"', b'"x\\u0000y":1,"schemaVersion"'))


@fault
def bigmanifest(p):
    """One byte more than 4 MiB."""
    p.extra = {"annotations": {"x": ""}}
    size = len(dump(p.manifest()))
    p.extra = {"annotations": {"x": "x" * ((4 << 20) + 1 - size)}}


@fault
def fullmanifest(p):
    """4 MiB: the most that is allowed."""
    p.extra = {"annotations": {"x": ""}}
    size = len(dump(p.manifest()))
    p.extra = {"annotations": {"x": "x" * ((4 << 20) - size)}}


@fault
def bigconfig(p):
    p.config["config"]["Labels"] = {"x": "x" * (4 << 20)}


@fault
def deepmanifest(p):
    return p.seal(dump(p.manifest())[:-1] + b',"x":' + b"[" * 100000 + b"]" * 100000 + b"}")


@fault
def deepconfig(p):
    p.config_bytes = dump(p.config)[:-1] + b',"x":' + b'{"a":' * 100000 + b"1" + b"}" * 100000 + b"}"


@fault
def deepindex(p):
    """An index in an index, a hundred times."""
    entry = p.repository.add(dump(p.manifest()), MANIFEST)
    for _ in range(100):
        data = dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry | {"platform": {"os": "linux", "architecture": ARCH}}]})
        entry = p.repository.add(data, INDEX, "latest")
    return p.repository


@fault
def foreignarch(p):
    """An index that has nothing for this machine."""
    entry = p.repository.add(dump(p.manifest()), MANIFEST) | {"platform": {"os": "plan9", "architecture": "vax"}}
    p.repository.add(dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}), INDEX, "latest")
    return p.repository


@fault
def multi(p):
    """A sound index: this machine's image, one for s390x, an attestation of no platform."""
    entries = []
    for arch in "s390x", ARCH:
        p.config["architecture"] = arch
        entries.append(p.repository.add(dump(p.manifest()), MANIFEST) | {"platform": {"os": "linux", "architecture": arch}})
    entries.append(entries[0] | {"platform": {"os": "unknown", "architecture": "unknown"}})
    p.repository.add(dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}), INDEX, "latest")
    return p.repository


@fault
def labels(p):
    """Escape bytes wherever text may stand."""
    p.config["config"]["Labels"] = {"a\x1b[2J": "\x1b]0;owned\x07"}
    p.config["author"] = "\x1b[31m"
    p.extra = {"annotations": {"org.opencontainers.image.title": "\x1b]0;owned\x07"}}


# ------------------------------------------------------------------------------------------------- layers that lie

def zeros(count):
    """A tar with one file of `count` zero bytes (a multiple of 16 MiB), by gzip; (packed, diff ID). What follows a full
    flush does not depend on what came before it, so the same compressed piece can be said again and again."""
    info = Layer().file("big", b"").tar.members[0]
    info.size = count
    head = info.tobuf()
    piece = bytes(16 << 20)
    whole = hashlib.sha256(head)
    crc = zlib.crc32(head)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = [compressor.compress(head) + compressor.flush(zlib.Z_FULL_FLUSH)]
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    again = compressor.compress(piece) + compressor.flush(zlib.Z_FULL_FLUSH)
    for _ in range(count // len(piece)):
        whole.update(piece)
        crc = zlib.crc32(piece, crc)
        packed.append(again)
    tail = bytes(1024)
    whole.update(tail)
    crc = zlib.crc32(tail, crc)
    packed.append(compressor.compress(tail) + compressor.flush())
    size = (len(head) + count + len(tail)) & 0xffffffff
    return (b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + b"".join(packed) + crc.to_bytes(4, "little") + size.to_bytes(4, "little"),
            "sha256:" + whole.hexdigest())


@fault
def bomb(p):
    """1 GiB of zeros in a megabyte."""
    packed, diff_id = zeros(1 << 30)
    p.set_layer(b"", packed, diff_id)


@fault
def bomb_gzip_twice(p):
    p.set_layer(p.raw, gzip.compress(p.packed))


@fault
def bomb_window(p):
    """zstd with a window of 2 GB."""
    raw = p.raw + bytes(200 << 20)
    packed = subprocess.run(["zstd", "-q", "-c", "-1", "--long=31", "--no-check"], input=raw, stdout=subprocess.PIPE, check=True).stdout
    p.set_layer(raw, packed, digest(raw), "tar+zstd")


@fault
def bomb_entries(p):
    """100,000 files."""
    layer = Layer()
    for i in range(100000):
        layer.tar.fileobj.write(header(b"f%d" % i))
    p.set_layer(layer.bytes())


@fault
def bomb_name(p):
    """A path of a million components."""
    p.set_layer(pax(b"path", b"d/" * 500000 + b"f") + header() + bytes(1024))


@fault
def bomb_pax(p):
    """An extended header of 1 GB."""
    p.set_layer(header(b"x", 1 << 30, b"x") + bytes(1024))


@fault
def bomb_sparse(p):
    """A sparse file of 8 EiB."""
    p.set_layer(pax(b"GNU.sparse.major", b"1") + pax(b"GNU.sparse.minor", b"0") + pax(b"GNU.sparse.realsize", b"9223372036854775807") +
                header(size=512) + b"1\n0\n0\n" + bytes(506) + bytes(1024))


@fault
def dotdot(p):
    p.set_layer(Layer().file("../../../../../../../../../../tmp/pwned-by-a-layer", "x").bytes())


@fault
def notar(p):
    p.set_layer(b"no tar at all\n" * 100)


@fault
def uncompressed(p):
    """The media type says gzip, the bytes are plain: common, and harmless."""
    p.set_layer(p.raw, p.raw)


@fault
def zstd(p):
    if shutil.which("zstd"):
        packed = subprocess.run(["zstd", "-q", "-c"], input=p.raw, stdout=subprocess.PIPE, check=True).stdout
        p.set_layer(p.raw, packed, digest(p.raw), "tar+zstd")


def mutants(p, packed, suffix):
    """Damage that every digest of the manifest agrees with: only the decoder can see it. Tags are N (a byte changed) and
    N-cut, over the whole length."""
    for i in range(64):
        at = 1 + i * (len(packed) - 2) // 63
        for tag, data in ((str(i), flipped(packed, at)), (f"{i}-cut", packed[:at])):
            p.set_layer(p.raw, data, digest(p.raw), suffix)
            p.repository.add(dump(p.manifest()), MANIFEST, tag)
    return p.repository


@fault
def mutants_gzip(p):
    return mutants(p, p.packed, "tar+gzip")


@fault
def mutants_zstd(p):
    return mutants(p, subprocess.run(["zstd", "-q", "-c"], input=p.raw, stdout=subprocess.PIPE, check=True).stdout, "tar+zstd")


@fault
def busybox(p):
    """What can be run."""
    p.set_layer(busybox_layer().bytes())


@fault
def layers(p):
    """Four layers of a megabyte each."""
    manifest, diff_ids = p.manifest(), []
    manifest["layers"] = []
    seed = random.Random(json.dumps(p.layer))
    for i in range(4):
        raw = Layer().file(f"data/{i}", seed.randbytes(1 << 20)).bytes()
        packed = gzip.compress(raw, 1, mtime=0)
        p.repository.blobs[digest(packed)] = packed
        diff_ids.append(digest(raw))
        manifest["layers"].append(p.layer | {"digest": digest(packed), "size": len(packed)})
    p.config["rootfs"]["diff_ids"] = diff_ids
    p.config["history"] = []
    config = dump(p.config)
    p.repository.blobs[digest(config)] = config
    manifest["config"] |= {"digest": digest(config), "size": len(config)}
    return p.seal(manifest)


FAULTS["layers-hang"] = layers


# --------------------------------------------------------------------------------------------------- tar by hand

def header(name=b"f", size=0, kind=b"0"):
    block = bytearray(512)
    block[0:len(name)] = name
    block[100:108], block[108:116], block[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    block[124:136], block[136:148] = b"%011o\0" % size, b"00000000000\0"
    block[148:156], block[156:157], block[257:265] = b" " * 8, kind, b"ustar\00000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    body = str(length).encode() + body
    return header(b"x", len(body), b"x") + body + bytes(-len(body) % 512)
