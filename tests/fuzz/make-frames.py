#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the corpus of fuzz-frame.c: make-frames.py DIRECTORY. Each file is a row of frames as a container would write them, for one
protocol that the filter or libslirp has an opinion of; names that begin with `cve-` follow a defect that libslirp once had."""
import pathlib
import socket
import struct
import sys

MEND, POLL = 0x0F, 0x10  # of fuzz-frame.c: set right addresses, lengths, checksums; look at the sockets afterwards
ME, GATEWAY, DNS, PEER = "10.0.2.100", "10.0.2.2", "10.0.2.3", "192.0.2.1"
ME6, GATEWAY6, DNS6, PEER6, LINK6 = "fd00::100", "fd00::2", "fd00::3", "2001:db8::1", "fe80::2"
MAC, TO = b"\x02\x00\x0a\x00\x02\x64", b"\x52\x55\x0a\x00\x02\x02"
SYN, ACK, FIN, RST, PSH, URG = 2, 16, 1, 4, 8, 32


def frame(packet, kind, mend=MEND, to=TO):
    data = to + MAC + struct.pack("!H", kind) + packet
    return struct.pack("!BH", mend, len(data)) + data


def ip4(to, protocol, payload, mend=MEND | POLL, source=ME, options=b"", fragment=0, length=None):
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, length if length is not None else 20 + len(options) + len(payload), 1,
                       fragment, 64, protocol, 0, socket.inet_aton(source), socket.inet_aton(to))
    return frame(head + options + payload, 0x0800, mend)


def ip6(to, protocol, payload, mend=MEND | POLL, source=ME6, hops=64, extension=b"", first=None, length=None):
    head = struct.pack("!IHBB", 6 << 28, length if length is not None else len(extension) + len(payload),
                       protocol if first is None else first, hops)
    return frame(head + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, to) + extension + payload, 0x86DD, mend)


def ip(to, protocol, payload, **options):
    return (ip6 if ":" in to else ip4)(to, protocol, payload, **options)


def udp(port, data, source=40000, length=None):
    return struct.pack("!HHHH", source, port, length if length is not None else 8 + len(data), 0) + data


def tcp(port, flags, data=b"", seq=1, ack=1, source=40000, window=65535, options=b"", urgent=0, offset=None):
    options += b"\0" * (-len(options) % 4)
    return struct.pack("!HHIIBBHHH", source, port, seq, ack, (offset if offset is not None else 5 + len(options) // 4) << 4, flags, window, 0, urgent) + \
        options + data


def session(to, port, *pieces, close=FIN | ACK, source=40000):
    """A connection as a client has it: it opens, says the pieces, closes."""
    row, seq = ip(to, 6, tcp(port, SYN, seq=0, ack=0, source=source, options=b"\x02\x04\x05\xb4\x01\x03\x03\x07")), 1
    row += ip(to, 6, tcp(port, ACK, seq=seq, source=source))
    for piece in pieces:
        row += ip(to, 6, tcp(port, ACK | PSH, piece, seq=seq, source=source))
        seq += len(piece)
    return row + ip(to, 6, tcp(port, close, seq=seq, source=source)) + ip(to, 6, tcp(port, ACK, seq=seq + 1, ack=2, source=source))


def query(name, kind=1, number=7):
    return struct.pack("!HHHHHH", number, 0x100, 1, 0, 0, 0) + b"".join(bytes((len(p),)) + p.encode() for p in name.split(".")) + b"\0" + \
        struct.pack("!HH", kind, 1)


def dhcp(kind, options=b""):
    return (struct.pack("!BBBBIHH4s4s4s4s", 1, 1, 6, 0, 7, 0, 0, *[bytes(4)] * 4) + MAC).ljust(236, b"\0") + b"\x63\x82\x53\x63" + \
        bytes((53, 1, kind)) + options + b"\xff"


def arp(operation, mac=MAC, sender=ME, target=GATEWAY, to=b"\xff" * 6):
    return frame(struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, operation, mac, socket.inet_aton(sender), bytes(6), socket.inet_aton(target)), 0x0806, 0, to)


def neighbour(kind, target, to=GATEWAY6, options=b"", hops=255, flags=0):
    return ip6(to, 58, struct.pack("!BBHI", kind, 0, 0, flags) + socket.inet_pton(socket.AF_INET6, target) + options, hops=hops)


def corpus():
    link = b"\x01\x01" + MAC
    yield "arp", arp(1) + arp(2) + arp(1, target=DNS) + arp(1, sender=GATEWAY) + arp(1, mac=b"\2\1\1\1\1\1") + arp(9) + frame(b"\0\1\x08\0", 0x0806, 0)
    yield "dns", b"".join(ip(to, 17, udp(53, query(name, kind))) for to in (DNS, DNS6) for name, kind in
                          (("example.org", 1), ("a" * 63 + ".b", 28), (".".join(["x"] * 120), 255))) + \
        ip(DNS, 17, udp(53, b"")) + ip(DNS, 17, udp(53, b"\xc0\x0c" * 40)) + ip(DNS, 17, udp(54, query("x")))
    yield "dns-tcp", session(DNS, 53, struct.pack("!H", 29) + query("example.org")) + session(DNS6, 53, b"\xff\xff", query("x"), close=RST)
    yield "dhcp", b"".join(ip4(to, 17, udp(67, dhcp(kind, b"\x37\x04\x01\x03\x06\x0f\x0c\x05hosts\x32\x04\x0a\0\2\x0f"), source=68), source=source, mend=POLL | 12)
                           for kind in (1, 3, 4, 7, 8) for to, source in (("255.255.255.255", "0.0.0.0"), (GATEWAY, ME)))
    yield "dhcp-options", b"".join(ip4(GATEWAY, 17, udp(67, dhcp(1, o), source=68)) for o in (b"\x0c\xff", b"\x32\x00", b"\x42\x02a", b"\0" * 64, b"\x52" * 300))
    yield "dhcp6", b"".join(ip6("ff02::1:2", 17, udp(547, bytes((k, 0, 0, 1)) + b"\0\1\0\4aaaa\0\6\0\2\0\x17", source=546)) for k in (1, 3, 11))
    yield "tftp", b"".join(ip(to, 17, udp(69, op + name + b"\0" + mode + b"\0" + options)) for to in (GATEWAY, DNS, GATEWAY6)
                           for op in (b"\0\1", b"\0\2") for name in (b"/etc/passwd", b"../../etc/passwd") for mode, options in
                           ((b"octet", b""), (b"netascii", b"tsize\x000\0blksize\x0065464\0"), (b"octet", b"blksize\0")))
    yield "tftp-data", b"".join(ip4(GATEWAY, 17, udp(69, struct.pack("!HH", op, block) + b"x" * n)) for op in (3, 4, 5, 9) for block in (0, 1, 65535) for n in (0, 4))
    for name, to in ("4", PEER), ("6", PEER6):
        yield "tcp" + name, session(to, 80, b"GET / HTTP/1.0\r\n\r\n") + session(to, 81, b"a" * 1400, b"b" * 1400, close=RST, source=40001)
        yield "tcp-order" + name, ip(to, 6, tcp(80, SYN, seq=0)) + ip(to, 6, tcp(80, ACK)) + b"".join(
            ip(to, 6, tcp(80, ACK, b"%d" % i * 100, seq=s)) for i, s in enumerate((101, 301, 1, 51, 201, 1, 1000000, 4294967200)))
        yield "tcp-urgent" + name, ip(to, 6, tcp(80, SYN, seq=0)) + ip(to, 6, tcp(80, ACK)) + b"".join(
            ip(to, 6, tcp(80, ACK | URG, b"u" * 20, urgent=u)) for u in (0, 1, 20, 65535)) + ip(to, 6, tcp(80, SYN | FIN)) + ip(to, 6, tcp(80, 255, b"x"))
        yield "tcp-window" + name, ip(to, 6, tcp(80, SYN, seq=0)) + b"".join(ip(to, 6, tcp(80, ACK, window=w, ack=a)) for w in (0, 1, 65535) for a in (1, 2, 5000, 4294967295))
        yield "tcp-options" + name, b"".join(ip(to, 6, tcp(80, SYN, seq=0, source=41000 + i, options=o)) for i, o in enumerate(
            (b"\x02\x04\0\0", b"\x02\x03\1", b"\x02\x00", b"\x03\x03\xff", b"\x05\x0a" + b"\0" * 8, b"\x01" * 40, b"\xfe\x28" + b"\0" * 38, b"\x02\xff\xff\xff"))) + \
            b"".join(ip(to, 6, tcp(80, SYN, offset=o)) for o in (0, 4, 6, 15))
        yield "tcp-many" + name, b"".join(ip(to, 6, tcp(1000 + i, SYN, seq=i, source=42000 + i)) for i in range(40))
        yield "udp" + name, b"".join(ip(to, 17, udp(port, b"x" * n)) for port in (1, 53, 69, 123, 7648, 65535) for n in (0, 1, 1472, 2000))
        yield "udp-lengths" + name, b"".join(ip(to, 17, udp(9, b"x" * 30, length=n), mend=3) for n in (0, 7, 8, 37, 38, 39, 65535))
    yield "emulation", b"".join(session(PEER, port, *words, source=43000 + port) for port, words in (
        (21, (b"PORT 10,0,2,100,4,1\r\n", b"227 Entering Passive Mode (10,0,2,100,4,1)\r\n")), (113, (b"1,2\r\n",)),
        (6667, (b"PRIVMSG x :\x01DCC CHAT chat 167772772 1025\x01\n", b"DCC SEND f 167772772 1 9\n", b"DCC MOVE f 1 1 1\n")), (7070, (b"\0" * 16,)), (544, (b"1234\0",))))
    yield "echo", b"".join(ip4(to, 1, struct.pack("!BBHHH", 8, 0, 0, 7, n) + b"x" * n) for to in (GATEWAY, DNS, PEER, "127.0.0.1") for n in (0, 56, 1400)) + \
        b"".join(ip6(to, 58, struct.pack("!BBHHH", 128, 0, 0, 7, n) + b"x" * n) for to in (GATEWAY6, DNS6, PEER6, LINK6, "::1") for n in (0, 56, 1400))
    yield "icmp", b"".join(ip4(GATEWAY, 1, struct.pack("!BBHI", kind, 0, 0, 0) + b"\x45" + bytes(27)) for kind in range(0, 20))
    yield "neighbours", b"".join(neighbour(135, t, options=link) for t in (GATEWAY6, DNS6, ME6, LINK6, PEER6)) + neighbour(136, ME6, flags=0x60000000, options=b"\x02\x01" + MAC) + \
        neighbour(133, "::", "ff02::2", link) + neighbour(134, "::", "ff02::1", b"\x03\x04\x40\xc0" + bytes(28)) + neighbour(137, PEER6, options=socket.inet_pton(socket.AF_INET6, ME6))
    yield "neighbour-options", b"".join(neighbour(135, GATEWAY6, options=o, hops=h) for o in (b"\x01\x00", b"\x01\x01", b"\x01\xff" + MAC, b"\x0e\x01" + MAC, link * 20) for h in (255, 254))
    yield "loopback", b"".join(ip4(to, 6, tcp(80, SYN, seq=0)) + ip4(to, 17, udp(80, b"x")) for to in (
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "255.255.255.255", "10.0.2.2", "10.0.2.255", "10.0.2.7", "169.254.169.254", "224.0.0.1", "240.0.0.1"))
    yield "loopback6", b"".join(ip6(to, 6, tcp(80, SYN, seq=0)) + ip6(to, 17, udp(80, b"x")) for to in (
        "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "fd00::2", "fd00::7", "fe80::1", "fe80::2", "fec0::1", "ff02::1", "ff0e::1"))
    yield "spoofed", b"".join(ip4(PEER, 17, udp(80, b"x"), source=s, mend=12) for s in (GATEWAY, "127.0.0.1", "0.0.0.0", "10.0.2.77")) + \
        b"".join(ip6(PEER6, 17, udp(80, b"x"), source=s, mend=12) for s in (GATEWAY6, "::1", "::", "fe80::2", "fd00::77"))
    yield "source-route", b"".join(ip4(PEER, p, d, options=bytes((k, 7, 4)) + socket.inet_aton("127.0.0.1") + b"\0") for k in (0x83, 0x89, 7, 0x44, 0x94) for p, d in
                                   ((6, tcp(80, SYN)), (17, udp(80, b"x"))))
    yield "extensions", b"".join(ip6(PEER6, 17, udp(80, b"x"), extension=bytes((17, n)) + b"\0\0\0\0\0\0" + bytes(8 * n), first=k) for k in (0, 43, 44, 50, 51, 59, 60, 135, 139, 255) for n in (0, 1, 2))
    yield "fragments", b"".join(ip4(PEER, 17, udp(80, b"x" * 40)[a:b], fragment=f | a // 8) for a, b, f in ((0, 24, 0x2000), (24, 48, 0), (0, 48, 0x2000), (8, 24, 0x2000), (40, 48, 0), (0, 8, 0x8000)))
    yield "tunnels", b"".join(ip4(PEER, p, bytes(4) + ip4("127.0.0.1", 17, udp(80, b"x"))[17:]) for p in (0, 2, 4, 33, 41, 47, 50, 51, 89, 132, 136, 255))
    yield "kinds", b"".join(frame(bytes(46), k, 1) for k in (0, 100, 0x0805, 0x8035, 0x8100, 0x88A8, 0x8847, 0x8863, 0x88F8, 0x88CC, 0xFFFF))
    yield "cut", b"".join(frame(d[:n], k, 1) for k, d in ((0x800, ip4(PEER, 17, udp(80, b"x"))[17:]), (0x86DD, ip6(PEER6, 17, udp(80, b"x"))[17:]), (0x806, arp(1)[17:]))
                          for n in range(0, 60, 3)) + b"".join(struct.pack("!BH", 1, n) + (TO + MAC)[:n] for n in range(0, 13))
    yield "cve-2019-6778", session(PEER, 113, b"1234", b"5" * 500, b"6" * 1400, b"7,8\r\n")
    yield "cve-2020-1983", b"".join(ip4(PEER, 17, bytes(8), fragment=0x2000 | i) for i in (0, 8000, 1, 2, 0)) + ip4(PEER, 17, bytes(200), fragment=0x1FFF)
    yield "cve-2020-10756", b"".join(ip6(GATEWAY6, 58, struct.pack("!BBHHH", 128, 0, 0, 7, 1)[:n], mend=9, length=m) for n in (0, 2, 4, 8) for m in (8, 100, 1480))
    yield "cve-2020-29129", b"".join(frame(bytes(n), 0x88F8, 1) for n in (0, 1, 13, 15, 16, 64)) + b"".join(frame(bytes((0, 1, 8, 0, 6, 4, 0, 1))[:n], 0x806, 1) for n in range(9))
    yield "cve-2021-3592", b"".join(ip4(GATEWAY, 17, udp(67, dhcp(1)[:n], source=68)) for n in (0, 1, 43, 235, 236, 240, 241))
    yield "cve-2021-3593", b"".join(ip6(to, 17, udp(port, b"")[:n], mend=9) for to in (GATEWAY6, PEER6) for port in (69, 80, 547) for n in (0, 1, 7, 8))
    yield "cve-2021-3594", b"".join(ip4(to, 17, udp(port, b"")[:n], mend=9) for to in (GATEWAY, PEER) for port in (67, 69, 80) for n in (0, 1, 7, 8))
    yield "cve-2021-3595", b"".join(ip4(GATEWAY, 17, udp(69, b"\0\1x\0octet\0"[:n])) for n in range(11))


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, row in corpus():
        (directory / name).write_bytes(row)


if __name__ == "__main__":
    main()
