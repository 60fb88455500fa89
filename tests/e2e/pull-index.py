# SPDX-License-Identifier: Apache-2.0
"""An OCI layout with one index over several platforms, out of an OCI archive with one image: pull-index.py ARCHIVE DIRECTORY

Each image has the label `which`, the platform that it is for."""

import hashlib
import json
import subprocess
import sys
import tarfile

archive, target = sys.argv[1:]
OCI = "application/vnd.oci.image."
HOST = "linux/" + subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
PLATFORMS = {"linux/s390x", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8", "linux/amd64", HOST}


def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{target}/blobs/sha256/{digest}", "wb") as f:
        f.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def read(descriptor):
    with open(f"{target}/blobs/sha256/" + descriptor["digest"][7:], "rb") as f:
        return json.load(f)


with tarfile.open(archive) as tar:
    tar.extractall(target)
with open(f"{target}/index.json", encoding="ascii") as index_file:
    manifest = read(json.load(index_file)["manifests"][0])
config = read(manifest["config"])
entries = []
for platform in sorted(PLATFORMS):
    words = dict(zip(["os", "architecture", "variant"], platform.split("/")))
    config.update(words)
    config.setdefault("config", {})["Labels"] = {"which": platform}
    manifest["config"].update(blob(json.dumps(config).encode()))
    entries.append({"mediaType": OCI + "manifest.v1+json", "platform": words, **blob(json.dumps(manifest).encode())})
    config.pop("variant", None)
index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": entries}
top = {"mediaType": OCI + "index.v1+json", "annotations": {"org.opencontainers.image.ref.name": "multi"},
       **blob(json.dumps(index).encode())}
with open(f"{target}/index.json", "w", encoding="ascii") as index_file:
    json.dump({"schemaVersion": 2, "manifests": [top]}, index_file)
