#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what carries packets between a container and the host, in paired rounds: every round measures each way once, in an
order that turns, and a ratio is taken inside the round. Run as an ordinary user; network.sh prepares it.

`in` is a client on the host's loopback and a server in the container, by a published port; `out` is a client in the container and
a server on a neighbour of the host, behind a veth pair. The ceilings are a server on the host's loopback without a container,
and a client on the host with the neighbour's server. `send` and `get` are seen from the client.
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench as starts  # noqa: E402

HOME = os.path.expanduser('~/bench')
NETLOAD = '/var/tmp/bench/netload'
MEMORY_SOCKET = '/var/tmp/bench/memory.sock'
IMAGE = 'localhost/busybox:latest'
LOOPBACK, PEER, PEER_PORT = '127.0.0.1', '198.51.100.2', '5202'
INSIDE = '5201'  # the port of the server in a container
CONGESTION = os.environ.get('NETBENCH_CONGESTION')  # what the host's default is made to be (network.sh); for namespaces that peers make, too


def free_port():
    with socket.socket() as s:
        s.bind(('', 0))
        return str(s.getsockname()[1])


def command(*argv, **options):
    return subprocess.run([str(a) for a in argv], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=40, **options).stdout


def set_congestion():
    """A line of shell for a network namespace: the kernel gives new ones the default of the first one, not that of the machine of namespaces."""
    return f'echo {CONGESTION} >/proc/sys/net/ipv4/tcp_congestion_control;' if CONGESTION else ''


class Way:
    """One way to the container; this one is no container at all."""
    helpers = ()      # names of the processes that carry packets
    has_between = True

    def __init__(self):
        self.port, self.address, self.children = free_port(), LOOPBACK, []

    def spawn(self, *argv, **options):
        child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        self.children.append(child)
        return child

    def start(self):
        self.spawn(NETLOAD, 'serve', self.port)

    def inside(self, *argv):
        return argv

    def stop(self):
        for child in self.children:
            child.send_signal(signal.SIGKILL)
            child.wait()

    def between(self, name, *rest):
        """The client where another container of the same network is; here by the veth pair."""
        return command(NETLOAD, name, PEER, PEER_PORT, *rest)

    def client(self, out, *argv):
        """Runs the client, in the container or on the host, or in another container: words of output."""
        name, *rest = argv
        if out == 'between':
            return self.between(name, *rest).split()
        if out:
            return command(*self.inside(NETLOAD, name, PEER, PEER_PORT, *rest)).split()
        return command(NETLOAD, name, self.address, self.port, *rest).split()


class Bwrap(Way):
    """A sandbox on the host's own network."""
    has_between = False

    def start(self):
        self.spawn('bwrap', '--ro-bind', '/', '/', '--dev', '/dev', '--unshare-pid', '--die-with-parent', NETLOAD, 'serve', self.port)

    def inside(self, *argv):
        return ('bwrap', '--ro-bind', '/', '/', '--dev', '/dev', '--unshare-pid', '--die-with-parent', *argv)


class Managed(Way):
    """sdpod or podman, with the network in `network`."""
    name, network = 'sdpod', ()
    helpers = ('sdpod-net',)
    options = ()
    has_between = False

    def start(self):
        command(self.name, 'run', '-d', '--name', 'netbench', *self.network, *self.options, '-p', f'127.0.0.1:{self.port}:{INSIDE}',
                '-p', f'127.0.0.1:{self.port}:{INSIDE}/udp', '-v', f'{NETLOAD}:/netload:ro', IMAGE, '/netload', 'serve', INSIDE)

    def inside(self, *argv):
        return (self.name, 'exec', 'netbench', '/netload', *argv[1:])

    def stop(self):
        command(self.name, 'rm', '-f', '-t', '0', 'netbench')


class Bridge(Managed):
    """A network of bridges, and a second container on it. One uplink and one process that looks after it for all."""
    network = ('--network', 'bridge')
    helpers = ('sdpod-net', 'sdpod', 'dnsmasq')
    has_between = True

    def start(self):
        super().start()
        command(self.name, 'run', '-d', '--name', 'netbench2', *self.network, '-v', f'{NETLOAD}:/netload:ro', IMAGE, 'sleep', '1000')
        words = command(self.name, 'exec', 'netbench', 'ip', '-4', '-o', 'addr', 'show', 'eth0').split()
        self.other = words[3].split('/')[0]

    def between(self, name, *rest):
        return command(self.name, 'exec', 'netbench2', '/netload', name, self.other, INSIDE, *rest)

    def stop(self):
        command(self.name, 'rm', '-f', '-t', '0', 'netbench', 'netbench2')


class Bypass(Managed):
    """Outgoing connections by sockets of the host."""
    network = ('--network', 'slirp4netns:bypass=true')
    helpers = ('sdpod-net', 'sdpod-bypass')


class Libslirp(Managed):
    """Outgoing connections as packets, as where the kernel cannot do better."""
    network = ('--network', 'slirp4netns:splice=false')


class SdpodLoopback(Managed):
    """Only by the host's own network, as a measure of what a container costs besides."""
    network = ('--network', 'host')
    helpers = ()

    def start(self):
        command(self.name, 'run', '-d', '--name', 'netbench', *self.network, '-v', f'{NETLOAD}:/netload:ro', IMAGE, '/netload', 'serve', self.port)


class Podman(Managed):
    options = ('--sysctl', f'net.ipv4.tcp_congestion_control={CONGESTION}') if CONGESTION else ()
    name, helpers = 'podman', ('slirp4netns', 'rootlessport', 'exe')
    network = ('--network', 'slirp4netns')


class PodmanSlirpPorts(Podman):
    network = ('--network', 'slirp4netns:port_handler=slirp4netns')


class Unshared(Way):
    """A bare network namespace, whose holder is the server."""
    has_between = False

    def hold(self):
        holder = self.spawn('unshare', '-Urn', 'sh', '-c', f'ip link set lo up; {set_congestion()} exec {NETLOAD} serve {INSIDE}')
        while 'netload' not in open(f'/proc/{holder.pid}/comm').read():
            time.sleep(0.01)
        self.holder = holder.pid

    def inside(self, *argv):
        return ('nsenter', '-t', str(self.holder), '-U', '-n', '--preserve-credentials', '--', *argv)


class Slirp4netns(Unshared):
    helpers = ('slirp4netns',)

    def start(self):
        self.hold()
        ready, write = os.pipe()
        path = f'{HOME}/slirp.sock'
        if os.path.exists(path):
            os.unlink(path)
        self.spawn('slirp4netns', '--configure', '--mtu=65520', '--disable-host-loopback', '--enable-sandbox', '--enable-seccomp', '-r', write,
                   '-a', path, self.holder, 'tap0', pass_fds=(write,))
        os.close(write)
        os.read(ready, 1)
        os.close(ready)
        for protocol in 'tcp', 'udp':
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path)
                s.send(json.dumps({'execute': 'add_hostfwd', 'arguments': {'proto': protocol, 'host_addr': LOOPBACK,
                                   'host_port': int(self.port), 'guest_addr': '10.0.2.100', 'guest_port': int(INSIDE)}}).encode())
                s.shutdown(socket.SHUT_WR)
                s.recv(1000)


class Pasta(Unshared):
    helpers = ('pasta', 'passt', 'pasta.avx2', 'passt.avx2')

    def start(self):
        self.spawn('pasta', '-f', '--config-net', '--no-map-gw', '-t', f'127.0.0.1/{self.port}:{INSIDE}', '-u', f'127.0.0.1/{self.port}:{INSIDE}', '--',
                   NETLOAD, 'serve', INSIDE)
        for _ in range(500):
            found = subprocess.run(['pgrep', '-u', str(os.getuid()), '-f', f'^{NETLOAD} serve {INSIDE}'], capture_output=True, text=True, check=False).stdout.split()
            if found:
                self.holder = int(found[0])
                return
            time.sleep(0.01)
        raise RuntimeError('pasta does not start')

    def stop(self):
        os.kill(self.holder, signal.SIGKILL)
        super().stop()


# name: (class, programs that it takes). What is new gets a row here.
MODES = {
    'host loopback, veth': (Way, ()),
    'sdpod': (Managed, ('sdpod',)),
    'sdpod, bridge': (Bridge, ('sdpod',)),
    'sdpod, bypass': (Bypass, ('sdpod',)),
    'sdpod, splice=false': (Libslirp, ('sdpod',)),
    'sdpod --network host': (SdpodLoopback, ('sdpod',)),
    'slirp4netns': (Slirp4netns, ('slirp4netns',)),
    'pasta': (Pasta, ('pasta',)),
    'podman, rootlesskit': (Podman, ('podman', 'slirp4netns')),
    'podman, slirp4netns': (PodmanSlirpPorts, ('podman', 'slirp4netns')),
    'bwrap': (Bwrap, ('bwrap',)),
}


def tcp(what, streams, out):
    return lambda way, msec: float(way.client(out, 'tcp', what, streams, msec)[0])


def connect(out):
    return lambda way, msec: float(way.client(out, 'connect', 4, msec)[0])


def request(out, which, *cpus):
    return lambda way, msec: float(way.client(out, 'request', msec * 5, *cpus)[which])


def udp(size, out):
    return lambda way, msec: float(way.client(out, 'udp', 200, size, msec)[0])


# title, unit, whether more is better, how
MEASURES = [  # each by itself: one that fails does not take the others with it
    ('in, 1 stream, send', 'Gbit/s', True, tcp('S', 1, False)),
    ('in, 1 stream, get', 'Gbit/s', True, tcp('G', 1, False)),
    ('in, 8 streams, send', 'Gbit/s', True, tcp('S', 8, False)),
    ('in, 8 streams, get', 'Gbit/s', True, tcp('G', 8, False)),
    ('out, 1 stream, send', 'Gbit/s', True, tcp('S', 1, True)),
    ('out, 1 stream, get', 'Gbit/s', True, tcp('G', 1, True)),
    ('out, 8 streams, send', 'Gbit/s', True, tcp('S', 8, True)),
    ('out, 8 streams, get', 'Gbit/s', True, tcp('G', 8, True)),
    ('in, connections', '1/s', True, connect(False)),
    ('out, connections', '1/s', True, connect(True)),
    ('in, request p50', 'us', False, request(False, 0)),
    ('in, request p99', 'us', False, request(False, 1)),
    ('in, request p50, a CPU each', 'us', False, request(False, 0, 0, 1)),
    ('in, request p99, a CPU each', 'us', False, request(False, 1, 0, 1)),
    ('out, request p50', 'us', False, request(True, 0)),
    ('out, request p99', 'us', False, request(True, 1)),
    ('out, request p50, a CPU each', 'us', False, request(True, 0, 0, 1)),
    ('out, request p99, a CPU each', 'us', False, request(True, 1, 0, 1)),
    ('between, 1 stream', 'Gbit/s', True, tcp('S', 1, 'between')),
    ('between, 8 streams', 'Gbit/s', True, tcp('S', 8, 'between')),
    ('between, connections', '1/s', True, connect('between')),
    ('between, request p50', 'us', False, request('between', 0)),
    ('between, request p99', 'us', False, request('between', 1)),
    ('in, UDP 200 Mbit/s, lost', '%', False, udp(1400, False)),
    ('out, UDP 200 Mbit/s, lost', '%', False, udp(1400, True)),
]


def helpers_of(way):
    return [pid for pid, name in starts.processes().items() if name in way.helpers]


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open(f'/proc/{pid}/stat') as f:
            fields = f.read().rsplit(')', 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf('SC_CLK_TCK')


def memory(pids):
    """PSS in KiB, by the one who may read it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(MEMORY_SOCKET)
        s.send(' '.join(map(str, pids)).encode())
        s.shutdown(socket.SHUT_WR)
        return int(s.recv(100) or 0)


def memory_server():
    if os.path.exists(MEMORY_SOCKET):
        os.unlink(MEMORY_SOCKET)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(MEMORY_SOCKET)
        os.chmod(MEMORY_SOCKET, 0o666)
        listener.listen()
        while True:
            with listener.accept()[0] as s:
                total = 0
                for pid in re.findall(r'\d+', s.recv(4096).decode()):
                    with open(f'/proc/{pid}/smaps_rollup') as f:
                        total += int(re.search(r'^Pss:\s+(\d+)', f.read(), re.M)[1])
                s.send(str(total).encode())


def throughput(modes, measures, rounds, msec):
    found = {name: {m[0]: [] for m in measures} for name in modes}
    extra = {name: {'idle CPU, ms/s': [], 'memory (PSS) idle, KiB': [], 'memory (PSS) after load, KiB': []} for name in modes}
    cost = {name: {} for name in modes}  # processor seconds of the helpers for a gigabyte
    broken, failed = set(), {}
    for i in range(rounds):
        names = list(modes)
        for name in names[i % len(names):] + names[:i % len(names)]:
            if name in broken:
                continue
            way = modes[name]()
            try:
                way.start()
                command(NETLOAD, 'wait', way.address, way.port)
                pids = helpers_of(way)
                if pids:
                    before = memory(pids)
                    cpu = cpu_seconds(pids)
                    time.sleep(1)
                    extra[name]['idle CPU, ms/s'].append((cpu_seconds(pids) - cpu) * 1000)
                    extra[name]['memory (PSS) idle, KiB'].append(before)
                for title, unit, _, run in measures:
                    if title.startswith('between') and not way.has_between:
                        continue
                    cpu = cpu_seconds(pids)
                    try:
                        value = run(way, msec)
                    except subprocess.SubprocessError as error:
                        failed.setdefault((name, title), str(error)[-60:])
                        value = None
                    found[name][title].append(value)
                    if pids and value and unit == 'Gbit/s':
                        cost[name].setdefault(title, []).append((cpu_seconds(pids) - cpu) / (value / 8 * msec / 1000))
                if pids:
                    extra[name]['memory (PSS) after load, KiB'].append(memory(pids))
            except (subprocess.SubprocessError, RuntimeError, OSError) as error:
                print(f'# {name}: left out: {error} {(getattr(error, "stderr", None) or "")[-300:]}', flush=True)
                broken.add(name)
            finally:
                try:
                    way.stop()
                except (subprocess.SubprocessError, OSError, AttributeError) as error:
                    print(f'# {name}: {error}')
        print(f'# round {i + 1} of {rounds}: CPU pressure {starts.pressure()}', flush=True)
    names = [n for n in modes if n not in broken]
    ceiling, ours = names[0], 'sdpod'
    for title, unit, more, _ in measures:
        print(f'\n{title}, {unit}')
        for name in names:
            values = found[name][title]
            good = [v for v in values if v is not None]
            if not values:
                continue
            if not good:
                print(f'  {name:24} {"failed":>12}   {failed[name, title]}')
                continue
            line = f'  {name:24} {statistics.median(good):12.2f}'
            for other, label in ((ceiling, 'ceiling'), (ours, 'sdpod')):
                pairs = [(a, b) for a, b in zip(values, found[other][title]) if a is not None and b] if other in names else []
                if name != other and pairs and unit != '%':
                    line += f'   {statistics.median([a / b for a, b in pairs]):8.2f} of {label}'
            if title in cost[name]:
                line += f'   {statistics.median(cost[name][title]):8.2f} CPU s/GB of its processes'
            if len(good) < len(values):
                line += f'   ({len(values) - len(good)} of {len(values)} failed)'
            print(line, flush=True)
    for title in next(iter(extra.values())):
        print(f'\n{title}')
        for name in names:
            if extra[name][title]:
                print(f'  {name:24} {statistics.median(extra[name][title]):12.2f}', flush=True)


def start_many(count):
    """How long the first and the last of many containers on one network take to start; then each asks for each by name, and connects to some."""
    times = []
    command('sdpod', 'network', 'create', '--subnet', '10.92.0.0/22', 'many')
    for i in range(count):
        begin = time.perf_counter()
        command('sdpod', 'run', '-d', '--name', f'many{i}', '--network', 'many', '-v', f'{NETLOAD}:/netload:ro', IMAGE, '/netload', 'serve', INSIDE)
        times.append((time.perf_counter() - begin) * 1000)
    print(f'\nrun -d on a network, {count} one after another, ms: the first {times[0]:.1f}; median of the first ten after it '
          f'{statistics.median(times[1:11]):.1f}, of the last ten {statistics.median(times[-10:]):.1f}')
    pids = [pid for pid, name in starts.processes().items() if name in Bridge.helpers]
    print(f'  its {len(pids)} processes of the user: {memory(pids)} KiB (PSS); CPU pressure {starts.pressure()}', flush=True)
    begin = time.perf_counter()
    found = [[int(w) for w in command('sdpod', 'exec', f'many{i}', '/netload', 'names', 'many', count, INSIDE, i + 1, 3).split()] for i in range(count)]
    print(f'  each asked for all: {min(f[0] for f in found)} of {count} found, itself among them, by who found least; and each connected to its next three: '
          f'{min(f[1] for f in found)} reached; {count * count} names and {count * 3} connections in {time.perf_counter() - begin:.1f} s', flush=True)
    for i in range(0, count, 50):
        command('sdpod', 'rm', '-f', '-t', '0', *[f'many{k}' for k in range(i, min(i + 50, count))])
    command('sdpod', 'network', 'rm', 'many')


def start_latency(programs, rounds):
    """What the network adds to a run, from pairs with and without it."""
    commands = {}
    for name, networks in (('sdpod', {'none': 'none', 'default': 'slirp', 'default, splice=false': 'slirp4netns:splice=false', 'bridge': 'bridge'}), ('podman', {'none': 'none', 'default': 'slirp4netns'})):
        if name in programs:
            for title, network in networks.items():
                commands[f'{name}, {title}'] = [programs[name], 'run', '--rm', '--network', network, IMAGE, 'true']
    starts.bench('run --rm true, by network', commands, starts.measure_run, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--msec', type=int, default=1000, help='of each measurement')
    parser.add_argument('--only', default='', help='modes whose name contains one of these, joined by commas; the ceiling is always there')
    parser.add_argument('--measures', default='', help='measures whose name contains one of these, joined by commas')
    parser.add_argument('--no-starts', action='store_true')
    parser.add_argument('--many', type=int, default=0, help='also this many containers on one network (300)')
    parser.add_argument('--memory-server', action='store_true', help='as root: answers for processes that cannot be read')
    arguments = parser.parse_args()
    if arguments.memory_server:
        memory_server()
    os.makedirs(HOME, exist_ok=True)
    starts.ERRORS = os.open(f'{HOME}/errors', os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
    with open(f'{HOME}/containers.conf', 'w') as f:
        f.write('[containers]\npids_limit = 0\n')
    os.environ['CONTAINERS_CONF'] = f'{HOME}/containers.conf'
    programs = starts.find_programs()
    starts.prepare_images(programs)
    modes, words = {}, arguments.only.split(',') if arguments.only else None
    for name, (way, needs) in MODES.items():
        missing = [p for p in needs if not shutil.which(p)]
        if missing:
            print(f'# {name}: left out: {" ".join(missing)} is not installed')
        elif not words or not modes or any(w in name for w in words):
            modes[name] = way
    measures = [m for m in MEASURES if not arguments.measures or any(w in m[0] for w in arguments.measures.split(','))]
    with open('/proc/loadavg') as f:
        print(f'# load {f.read().strip()}; {os.cpu_count()} CPUs; Linux {os.uname().release}; {arguments.msec} ms a measurement')
    throughput(modes, measures, arguments.rounds, arguments.msec)
    if arguments.many:
        start_many(arguments.many)
    if not arguments.no_starts:
        start_latency(programs, max(arguments.rounds * 3, 5))


if __name__ == '__main__':
    main()
