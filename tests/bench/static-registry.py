#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves what a docker-registry has with nginx, as files: static-registry.py STORE PORT writes nginx's configuration to standard output.

docker-registry takes 3 ms of CPU time for each blob, so where an image has many small layers, it is the registry that is measured. Large
registries answer from a file server, too."""

import json
import os
import sys


def manifests(store):
    """(path of the URL, file, media type, digest)"""
    top = os.path.join(store, 'data/docker/registry/v2')
    for repository in sorted(os.listdir(f'{top}/repositories')):
        tags = f'{top}/repositories/{repository}/_manifests/tags'
        for tag in sorted(os.listdir(tags)):
            with open(f'{tags}/{tag}/current/link', encoding='ascii') as f:
                digest = f.read().strip()
            word = digest.split(':')[1]
            path = f'{top}/blobs/sha256/{word[:2]}/{word}/data'
            with open(path, encoding='utf-8') as f:
                kind = json.load(f).get('mediaType', 'application/vnd.oci.image.manifest.v1+json')
            for name in tag, digest:
                yield f'/v2/{repository}/manifests/{name}', path, kind, digest


def main(store, port):
    print(f'worker_processes 2; user root; pid {store}/nginx.pid; error_log {store}/nginx.log; events {{}}')
    print('http { access_log off; sendfile on; keepalive_requests 100000; types {} default_type application/octet-stream;')
    print(f'server {{ listen 127.0.0.1:{port};')
    print('location = /v2/ { default_type application/json; return 200 "{}"; }')
    for url, path, kind, digest in manifests(store):
        print(f'location = {url} {{ alias {path}; default_type {kind}; add_header Docker-Content-Digest {digest}; }}')
    print('location ~ ^/v2/[^/]+/blobs/sha256:(..)(.*)$ '
          f'{{ alias {store}/data/docker/registry/v2/blobs/sha256/$1/$1$2/data; }}')
    print('} }')


if __name__ == '__main__':
    main(*sys.argv[1:])
