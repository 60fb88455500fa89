# SPDX-License-Identifier: Apache-2.0
"""The images of images.py: make-images.py DIR REGISTRY writes each layer as DIR/IMAGE/N.tar.gz and pushes the images.

  big        one layer: a gigabyte of this machine's /usr
  layers40   40 layers of 5 MB     layers100   100 layers of 100 kB
  small      one layer of 100,000 files of 4 kB in 1000 directories
  base       200 MB in two layers  shared      the same and 5 MB more"""

import hashlib
import json
import os
import random
import subprocess
import sys
import tarfile
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
from image import MEDIA, Image, digest, dump  # noqa: E402


class Packer:
    """A layer on its way through sha256 and `gzip -6` into a file."""

    def __init__(self, path):
        self.hash = hashlib.sha256()
        self.out = open(path, 'wb')
        self.gzip = subprocess.Popen(['gzip', '-n', '-6'], stdin=subprocess.PIPE, stdout=self.out)
        self.tar = tarfile.open(fileobj=self, mode='w|', format=tarfile.GNU_FORMAT)

    def write(self, data):
        self.hash.update(data)
        self.gzip.stdin.write(data)

    def add(self, name, data=None, size=0, kind=tarfile.REGTYPE, link='', mode=0o644):
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mode, info.mtime, info.linkname = kind, size, mode, 1767225600, link
        self.tar.addfile(info, data)

    def end(self):
        self.tar.close()
        self.gzip.stdin.close()
        if self.gzip.wait():
            raise SystemExit('make-images: gzip failed')
        self.out.close()
        return 'sha256:' + self.hash.hexdigest()


def usr_files(first, limit):
    """Real files, in the order of their names, up to so many bytes; the directories before them."""
    total, skipped, seen = 0, 0, set()
    for place, dirs, names in os.walk('/usr'):
        dirs.sort()
        for name in sorted(names):
            path = os.path.join(place, name)
            if not os.path.isfile(path) or os.path.islink(path) or len(path) > 98:
                continue
            size = os.path.getsize(path)
            if skipped < first:
                skipped += size
                continue
            parts = path.split('/')[1:-1]
            for i in range(len(parts)):
                directory = '/'.join(parts[:i + 1])
                if directory not in seen:
                    seen.add(directory)
                    yield directory + '/', None
            yield path[1:], size
            total += size
            if total >= limit:
                return


def usr_layer(packer, first, limit):
    for name, size in usr_files(first, limit):
        if size is None:
            packer.add(name.rstrip('/'), kind=tarfile.DIRTYPE, mode=0o755)
        else:
            with open('/' + name, 'rb') as f:
                packer.add(name, f, size, mode=os.stat('/' + name).st_mode & 0o777)


class Bytes:
    """A file's data out of words, about as compressible as text."""

    def __init__(self, generator, size):
        words = [b'%x' % generator.getrandbits(40) for _ in range(64)]
        self.data = b' '.join(generator.choices(words, k=size // 8))[:size]
        self.data += bytes(size - len(self.data))

    def read(self, n):
        found, self.data = self.data[:n], self.data[n:]
        return found


def random_layer(packer, seed, count, size, per_dir=100):
    generator = random.Random(seed)
    for i in range(count):
        directory = f'd{seed}-{i // per_dir}'
        if i % per_dir == 0:
            packer.add(directory, kind=tarfile.DIRTYPE, mode=0o755)
        packer.add(f'{directory}/f{i}', Bytes(generator, size), size)


MB = 1 << 20
LAYERS = {
    'big': [(usr_layer, 0, 1024 * MB)],
    'layers40': [(usr_layer, i * 5 * MB, 5 * MB) for i in range(40)],
    'layers100': [(random_layer, i, 10, 10000) for i in range(100)],
    'small': [(random_layer, 1000, 100000, 4096)],
    'base': [(usr_layer, 300 * MB, 150 * MB), (usr_layer, 500 * MB, 50 * MB)],
    'shared': [(usr_layer, 300 * MB, 150 * MB), (usr_layer, 500 * MB, 50 * MB), (usr_layer, 600 * MB, 5 * MB)],
}


def request(method, url, data=None, media=None):
    headers = {'Content-Type': media or 'application/octet-stream'}
    return urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method))


def push_blob(base, data, name):
    place = request('POST', base + '/blobs/uploads/').headers['Location']
    request('PUT', place + ('&' if '?' in place else '?') + 'digest=' + name, data).read()


def main(directory, registry):
    for image, makers in LAYERS.items():
        base = f'http://{registry}/v2/{image}'
        os.makedirs(f'{directory}/{image}')
        diff_ids, layers, size = [], [], 0
        for i, (maker, *arguments) in enumerate(makers):
            path = f'{directory}/{image}/{i}.tar.gz'
            packer = Packer(path)
            maker(packer, *arguments)
            diff_ids.append(packer.end())
            with open(path, 'rb') as f:
                data = f.read()
            layers.append({'mediaType': MEDIA + 'layer.v1.tar+gzip', 'digest': digest(data), 'size': len(data)})
            push_blob(base, data, layers[-1]['digest'])
            size += len(data)
        config = Image([], Cmd=['/bin/true']).config
        config['rootfs']['diff_ids'] = diff_ids
        config['history'] = [{'created_by': 'bench'} for _ in diff_ids]
        config = dump(config)
        push_blob(base, config, digest(config))
        manifest = {'schemaVersion': 2, 'mediaType': MEDIA + 'manifest.v1+json', 'layers': layers,
                    'config': {'mediaType': MEDIA + 'config.v1+json', 'digest': digest(config), 'size': len(config)}}
        request('PUT', base + '/manifests/latest', json.dumps(manifest).encode(), manifest['mediaType'])
        print(f'# {image}: {len(layers)} layers, {size / MB:.0f} MB compressed', flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
