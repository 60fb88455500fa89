# SPDX-License-Identifier: Apache-2.0
"""Servers, clients and frames for the network tests; each prints one line of result."""
import ctypes
import hashlib
import os
import resource
import selectors
import socket
import struct
import sys

TIMEOUT = 20
MAC = bytes((2, 0, 10, 0, 2, 100))
GATEWAY_MAC = bytes((0x52, 0x55, 10, 0, 2, 2))


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def say(text):
    print(text, flush=True)


def canary(*ends):
    """Logs whoever comes, as "proto peer", and answers with the peer's address. Ends are "tcp|ADDRESS|PORT"."""
    poll = selectors.DefaultSelector()
    for end in ends:
        protocol, address, port = end.split("|")
        tcp = protocol == "tcp"
        s = socket.socket(family_of(address), socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in address:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((address, int(port)))
        if tcp:
            s.listen(1024)
        poll.register(s, selectors.EVENT_READ, tcp)
    say("ready")
    while True:
        for key, _ in poll.select():
            if key.data:
                connection, peer = key.fileobj.accept()
                print("tcp", peer[0], file=sys.stderr, flush=True)
                connection.sendall(f"{peer[0]}\n".encode())
                connection.close()
            else:
                data, peer = key.fileobj.recvfrom(65536)
                print("udp", peer[0], file=sys.stderr, flush=True)
                key.fileobj.sendto(f"{peer[0]} {hashlib.sha256(data).hexdigest()}\n".encode(), peer)


def sink(address, port):
    """Reads a whole connection, answers with its size and SHA-256, then sends the same number of bytes back."""
    s = socket.socket(family_of(address))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, int(port)))
    s.listen(8)
    say("ready")
    while True:
        connection, _ = s.accept()
        digest, size = hashlib.sha256(), 0
        while data := connection.recv(1 << 18):
            digest.update(data)
            size += len(data)
        connection.sendall(f"{size} {digest.hexdigest()}\n".encode())
        for chunk in pattern(size):
            connection.sendall(chunk)
        connection.close()


def pattern(size):
    block, n = hashlib.sha512(b"sdpod").digest() * 1024, 0
    while n < size:
        piece = block[: min(len(block), size - n)]
        yield piece
        n += len(piece)


def transfer(address, port, size):
    """Sends `size` bytes, compares what the sink saw, and what it sends back."""
    s = socket.create_connection((address, int(port)), timeout=60)
    sent = hashlib.sha256()
    for chunk in pattern(int(size)):
        s.sendall(chunk)
        sent.update(chunk)
    s.shutdown(socket.SHUT_WR)
    file = s.makefile("rb")
    line = file.readline().decode().split()
    back = hashlib.sha256()
    while data := file.read(1 << 18):
        back.update(data)
    same = line == [str(size), sent.hexdigest()] and back.hexdigest() == sent.hexdigest()
    say("intact" if same else f"damaged: {line}")


def connect(address, port):
    """Prints what the server says, or the error's name."""
    try:
        with socket.create_connection((address, int(port)), timeout=TIMEOUT) as s:
            say(s.makefile().readline().strip() or "empty")
    except OSError as e:
        say("timeout" if isinstance(e, TimeoutError) else os.strerror(e.errno))


def rules(text):
    """Gives nftables a ruleset; prints "done" or what it says."""
    nft = ctypes.CDLL("libnftables.so.1")
    nft.nft_ctx_new.restype = ctypes.c_void_p
    nft.nft_ctx_get_output_buffer.restype = nft.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
    context = ctypes.c_void_p(nft.nft_ctx_new(0))
    nft.nft_ctx_buffer_output(context)
    nft.nft_ctx_buffer_error(context)
    failed = nft.nft_run_cmd_from_buffer(context, text.encode())
    output = nft.nft_ctx_get_error_buffer(context) if failed else nft.nft_ctx_get_output_buffer(context)
    say(output.decode().replace("\n", ";") or "done")


def crowd(silent_address, silent_port, *refusers):
    """With 60 connections under way that nobody answers, counts what 40 to closed ports end with."""
    waiting = []
    for _ in range(60):
        s = socket.socket(family_of(silent_address))
        s.setblocking(False)
        s.connect_ex((silent_address, int(silent_port)))
        waiting.append(s)
    ends = {}
    for i in range(40):
        address, port = refusers[i % (len(refusers) // 2) * 2:][:2]
        with socket.socket(family_of(address)) as s:
            s.settimeout(TIMEOUT)
            try:
                s.connect((address, int(port)))
                end = "connected"
            except OSError as e:
                end = "timeout" if isinstance(e, TimeoutError) else os.strerror(e.errno)
        ends[end] = ends.get(end, 0) + 1
    say(", ".join(f"{end} x {n}" for end, n in ends.items()))


def hangup(address, port):
    """Goes on writing to peers that have closed."""
    for _ in range(20):
        try:
            with socket.create_connection((address, int(port)), timeout=TIMEOUT) as s:
                while True:
                    s.sendall(b"x" * 65536)
        except OSError:
            pass
    say("done")


def ask(address, port, size=5, source=None):
    """One UDP question; prints the answer (the first word if it is right), or the error."""
    data = b"x" * int(size)
    s = socket.socket(family_of(address), socket.SOCK_DGRAM)
    s.settimeout(TIMEOUT if source is None else float(source))
    try:
        s.connect((address, int(port)))
        s.send(data)
        answer = s.recv(65536).decode().split()
        say(answer[0] if answer[1:] == [hashlib.sha256(data).hexdigest()] else f"damaged: {answer}")
    except OSError as e:
        say("timeout" if isinstance(e, TimeoutError) else os.strerror(e.errno))


def echo_server(address, port):
    """Sends back what comes, on any number of connections."""
    limit_descriptors()
    poll = selectors.DefaultSelector()
    s = socket.socket(family_of(address))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, int(port)))
    s.listen(4096)
    poll.register(s, selectors.EVENT_READ)
    say("ready")
    while True:
        for key, _ in poll.select():
            if key.fileobj is s:
                poll.register(s.accept()[0], selectors.EVENT_READ)
            elif data := key.fileobj.recv(65536):
                key.fileobj.sendall(data)
            else:
                poll.unregister(key.fileobj)
                key.fileobj.close()


def limit_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def crowd_echo(address, port, n):
    """Opens `n` connections, all at once, and asks on each; how many answered."""
    limit_descriptors()
    connections = [socket.create_connection((address, int(port)), timeout=30) for _ in range(int(n))]
    for i, s in enumerate(connections):
        s.sendall(f"{i:6}".encode())
    say(f"{sum(s.recv(6) == f'{i:6}'.encode() for i, s in enumerate(connections))} answered")


def marked(address, port):
    """Connects with the mark of published ports, as root in the container may."""
    s = socket.socket(family_of(address))
    s.settimeout(TIMEOUT)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x73647064)
    try:
        s.connect((address, int(port)))
        say("connected")
    except OSError as e:
        say("timeout" if isinstance(e, TimeoutError) else os.strerror(e.errno))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(source, destination, protocol, payload, fragment=0, options=b""):
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | 5 + len(options) // 4, 0, 20 + len(options) + len(payload), 1, fragment, 64,
                         protocol, 0, socket.inet_aton(source), socket.inet_aton(destination)) + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def with_sum(source, destination, protocol, payload, at):
    pack = (lambda a: socket.inet_pton(family_of(a), a))
    pseudo = pack(source) + pack(destination) + struct.pack("!II", len(payload), protocol)
    return payload[:at] + struct.pack("!H", checksum(pseudo + payload)) + payload[at + 2:]


def tcp_syn(source, destination, port):
    segment = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 0x50, 2, 65535, 0, 0)
    return with_sum(source, destination, 6, segment, 16)


def udp(source, destination, port, data=b"canary"):
    return with_sum(source, destination, 17, struct.pack("!HHHH", 40001, port, 8 + len(data), 0) + data, 6)


def ip6(source, destination, protocol, payload, extension=b"", first=None):
    return struct.pack("!IHBB", 6 << 28, len(extension) + len(payload), first if first is not None else protocol, 64) + \
        socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination) + extension + payload


def attack(port):
    """Writes every frame that must not reach the host's loopback, then one UDP question of the decent kind."""
    port, me, me6 = int(port), "10.0.2.100", "fd00::100"
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("tap0", 0))
    n = 0

    def frame(packet, kind=0x0800, source=MAC, destination=GATEWAY_MAC):
        nonlocal n
        s.send(destination + source + struct.pack("!H", kind) + packet)
        n += 1

    for target in ("127.0.0.1", "127.1.2.3", "127.0.0.53", "0.0.0.0", "255.255.255.255", "10.0.2.255", "10.0.2.2", "10.0.2.3",
                   "169.254.169.254", "224.0.0.1"):
        for payload, protocol in ((tcp_syn(me, target, port), 6), (udp(me, target, port), 17)):
            frame(ip4(me, target, protocol, payload))
            frame(ip4(me, target, protocol, payload), destination=b"\xff" * 6)
            frame(ip4(me, target, protocol, payload), source=b"\x02\x00\x00\x00\x00\x01")
            frame(ip4("10.0.2.77", target, protocol, payload))
            # loose source route by way of the target
            frame(ip4(me, "192.168.77.2", protocol, payload, options=b"\x83\x07\x04" + socket.inet_aton(target) + b"\0"))
            frame(ip4(me, target, protocol, payload[:8], fragment=0x2000))
            frame(ip4(me, target, protocol, payload[8:], fragment=1))
    for target in ("::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "fd00::2", "fd00::3", "fd00::7", "fe80::1", "ff02::1"):
        for payload, protocol in ((with_sum(me6, target, 6, struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 0x50, 2, 65535, 0, 0), 16), 6),
                                  (udp(me6, target, port), 17)):
            frame(ip6(me6, target, protocol, payload), 0x86DD)
            # hop-by-hop, routing and fragment headers before the transport
            for header in (0, 43, 44):
                frame(ip6(me6, target, protocol, payload, bytes((protocol, 0, 1, 4, 0, 0, 0, 0)), header), 0x86DD)
    for junk in (b"", b"\x45", b"\x60" * 39, os.urandom(60), b"\x4f" + b"\0" * 59):
        frame(junk)
        frame(junk, 0x86DD)
        frame(junk, 0x0806)
        frame(junk, 0x88F8)
    say(str(n))


def echo(address):
    """One echo request; prints who answers, or the error that comes instead."""
    ip6 = ":" in address
    s = socket.socket(family_of(address), socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if ip6 else socket.IPPROTO_ICMP)
    s.settimeout(TIMEOUT)
    request = struct.pack("!BBHHH", 128 if ip6 else 8, 0, 0, 7, 1) + b"sdpod"
    if not ip6:
        request = request[:2] + struct.pack("!H", checksum(request)) + request[4:]
    s.sendto(request, (address, 0))
    try:
        while True:
            answer, peer = s.recvfrom(2048)
            if not ip6:
                answer = answer[(answer[0] & 15) * 4:]
            if answer[0] in (0, 129) and answer[8:] == b"sdpod":
                return say(peer[0])
            if answer[0] in (3, 1):
                return say(f"unreachable, code {answer[1]}")
    except TimeoutError:
        return say("timeout")


def silent(address, port, data):
    """Sends a UDP question and prints "silent" if nothing at all comes back."""
    s = socket.socket(family_of(address), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.settimeout(1)
    try:
        s.sendto(bytes.fromhex(data), (address, int(port)))
        say(f"answered: {s.recv(2048)!r}")
    except TimeoutError:
        say("silent")
    except OSError as e:
        say(os.strerror(e.errno))


if __name__ == "__main__":
    {f.__name__: f for f in (canary, sink, transfer, connect, rules, crowd, crowd_echo, echo_server, marked, hangup, ask, attack, echo, silent)}[sys.argv[1]](*sys.argv[2:])
