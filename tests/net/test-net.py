# SPDX-License-Identifier: Apache-2.0
"""sdpod-net with real packets, as an ordinary user. Prints TAP."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import lab as lab_module
from lab import HOST4, HOST6, PEER4, PEER6, Lab

TESTS = []
CANARY = 7777


def test(function):
    TESTS.append(function)
    return function


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


def contains(found, wanted):
    if wanted not in found:
        raise AssertionError(f"found {found!r}, wanted something with {wanted!r}")


def from_host(*arguments, where=None):
    command = [lab_module.PYTHON, str(lab_module.HERE / "tools.py")] + [str(a) for a in arguments]
    done = subprocess.run((where or (lambda c: c))(command), capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout or done.stderr).strip().split("\n")[-1]


@test
def reaches_the_outside_over_tcp_and_udp_on_both_families(lab, c):
    equal(c.start(), {"ok": True, "ports": []})
    equal(c.tool("connect", PEER4, 9001), HOST4)
    equal(c.tool("connect", PEER6, 9001), HOST6)
    equal(c.tool("ask", PEER4, 9001), HOST4)
    equal(c.tool("ask", PEER6, 9001), HOST6)
    equal(c.tool("ask", PEER4, 9001, 9000), HOST4)


@test
def large_transfers_stay_intact_both_ways(lab, c):
    c.start()
    equal(c.tool("transfer", PEER4, 9002, 100_000_000), "intact")
    equal(c.tool("transfer", PEER6, 9002, 50_000_000), "intact")
    equal(c.tool("transfer", PEER4, 9002, 0), "intact")
    equal(c.tool("transfer", PEER4, 9002, 1), "intact")


@test
def large_transfers_stay_intact_at_other_mtus(lab, c):
    c.start(mtu=1500)
    equal(c.tool("transfer", PEER4, 9002, 20_000_000), "intact")
    d = lab.container()
    d.start(mtu=65520)
    equal(d.tool("transfer", PEER4, 9002, 2_000_000), "intact")


def through_the_tap(c):
    """The bytes that have passed it so far."""
    line = [w.split() for w in pathlib.Path(f"/proc/{c.init.pid}/net/dev").read_text().replace(":", " ").split("\n") if "tap0" in w][0]
    return int(line[1]) + int(line[9])


@test
def outgoing_connections_do_not_pass_the_tap(lab, c):
    c.start()
    before = through_the_tap(c)
    equal(c.tool("transfer", PEER4, 9002, 5_000_000), "intact")
    equal(c.tool("transfer", PEER6, 9002, 5_000_000), "intact")
    if through_the_tap(c) - before > 100_000:
        raise AssertionError("the bytes went by the tap")


@test
def libslirp_alone_carries_outgoing_connections_too(lab, c):
    c.start(noSplice=True)
    before = through_the_tap(c)
    equal(c.tool("transfer", PEER4, 9002, 5_000_000), "intact")
    equal(c.tool("transfer", PEER6, 9002, 5_000_000), "intact")
    if through_the_tap(c) - before < 10_000_000:
        raise AssertionError("the bytes did not go by the tap")
    equal(c.tool("connect", PEER4, 9), "Connection refused")
    equal(c.tool("connect", "169.254.169.254", 80), "No route to host")
    # libslirp 4.7 would free a segment twice if such a connect(2) was refused at once, with many connections under way
    equal(c.tool("crowd", "203.0.113.1", 80, HOST4, 9, HOST6, 9), "Connection refused x 40")
    # it then writes to a closed socket
    equal(c.tool("hangup", PEER4, 9001), "done")
    equal(c.net.poll(), None)


@test
def what_connect_says_outside_it_says_inside(lab, c):
    lab_module.run("ip", "route", "add", "unreachable", "198.18.0.0/24")
    lab_module.run("ip", "route", "add", "prohibit", "198.18.1.0/24")
    c.start()
    for address in "198.18.0.1", PEER4.rsplit(".", 1)[0] + ".77":
        equal(address + ": " + from_host("connect", address, 80), address + ": No route to host")
        equal(address + ": " + c.tool("connect", address, 80), address + ": No route to host")
    equal(c.tool("connect", "198.18.1.1", 80), "No route to host")


@test
def the_rules_of_outgoing_connections_are_not_the_containers(lab, c):
    c.start()
    contains(c.tool("rules", "list tables"), "sdpod-outlet")
    contains(c.tool("rules", "delete table inet sdpod-outlet"), "not permitted")
    contains(c.tool("rules", "add rule inet sdpod-outlet out drop"), "not permitted")
    equal(c.tool("rules", "flush ruleset"), "done")
    contains(c.tool("rules", "list tables"), "sdpod-outlet")
    equal(c.tool("connect", PEER4, 9001), HOST4)


@test
def a_firewall_of_the_containers_own_does_not_stop_it(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    equal(c.tool("rules", "table inet wall { chain in { type filter hook input priority filter; policy drop;\n"
                 "iifname lo accept\n ct state established accept\n icmpv6 type { 135, 136 } accept; }\n chain out { type filter hook output priority filter; policy drop;\n"
                 f"oifname lo accept\n ip daddr {PEER4} accept\n icmpv6 type {{ 135, 136 }} accept\n ip6 daddr {PEER6} accept; }}\n }}"), "done")
    equal(c.tool("transfer", PEER4, 9002, 1_000_000), "intact")
    equal(c.tool("transfer", PEER6, 9002, 1_000_000), "intact")
    equal(from_host("connect", HOST4, 8080, where=lab.in_peer), PEER4)


@test
def who_finds_the_listener_gets_nowhere(lab, c):
    c.start()
    before = pathlib.Path(lab.canary.log).read_text()
    for address in "127.0.0.1", "10.0.2.100", "::1", "fd00::100":
        # accepted by the kernel, and closed: with an end or with a reset
        if c.tool("connect", address, 1) not in ("empty", "Connection reset by peer"):
            raise AssertionError(f"{address} answered")
    equal(pathlib.Path(lab.canary.log).read_text(), before)
    equal(c.tool("connect", PEER4, 9001), HOST4)


@test
def a_server_may_have_the_port_of_a_peer(lab, c):
    c.start(ports=[{"hostPort": 8080, "containerPort": 9001, "protocol": "tcp"}])
    equal(c.tool("connect", PEER4, 9001), HOST4)
    c.serve("canary", "tcp|0.0.0.0|9001")
    equal(from_host("connect", HOST4, 8080, where=lab.in_peer), PEER4)
    equal(c.tool("connect", PEER4, 9001), HOST4)


@test
def what_a_container_forwards_is_libslirps(lab, c):
    c.start()
    nested = lab.spawn(c.inside(["unshare", "-n", "sleep", "infinity"]))
    while os.readlink(f"/proc/{nested.pid}/ns/net") == os.readlink(f"/proc/{c.init.pid}/ns/net") or \
            pathlib.Path(f"/proc/{nested.pid}/comm").read_text() != "sleep\n":
        os.sched_yield()
    deep = ["nsenter", "-t", str(nested.pid), "-U", "-n", "--preserve-credentials", "--"]
    for command in (["ip", "link", "add", "n0", "type", "veth", "peer", "name", "n1", "netns", str(nested.pid)],
                    ["ip", "address", "add", "172.31.0.1/24", "dev", "n0"], ["ip", "link", "set", "n0", "up"],
                    ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]):
        lab_module.run(*c.inside(command))
    for command in (["link", "set", "lo", "up"], ["address", "add", "172.31.0.2/24", "dev", "n1"], ["link", "set", "n1", "up"],
                    ["route", "add", "default", "via", "172.31.0.1"]):
        lab_module.run(*c.user, *deep, "ip", *command)
    equal(c.tool("rules", "table ip n { chain p { type nat hook postrouting priority srcnat; oifname tap0 masquerade; }; }"), "done")
    before = through_the_tap(c)
    equal(from_host("transfer", PEER4, 9002, 3_000_000, where=lambda command: c.user + deep + command), "intact")
    if through_the_tap(c) - before < 6_000_000:
        raise AssertionError("the bytes did not go by the tap")


@test
def a_closed_port_outside_refuses_at_once(lab, c):
    c.start()
    equal(c.tool("connect", PEER4, 9), "Connection refused")
    equal(c.tool("connect", PEER6, 9), "Connection refused")


@test
def a_closed_port_of_the_host_refuses_and_breaks_nothing(lab, c):
    # libslirp 4.7 would free a segment twice if such a connect(2) was refused at once, with many connections under way
    c.start()
    equal(c.tool("crowd", "203.0.113.1", 80, HOST4, 9, HOST6, 9), "Connection refused x 40")
    equal(c.net.poll(), None)
    equal(c.tool("connect", PEER4, 9001), HOST4)


@test
def peers_that_hang_up_break_nothing(lab, c):
    # libslirp then writes to a closed socket
    c.start()
    equal(c.tool("hangup", PEER4, 9001), "done")
    equal(c.net.poll(), None)
    equal(c.tool("connect", PEER4, 9001), HOST4)


@test
def the_hosts_loopback_is_out_of_reach(lab, c):
    c.start()
    before = pathlib.Path(lab.canary.log).read_text()
    for address in ("10.0.2.2", "fd00::2", "10.0.2.3", "fd00::3"):
        equal(c.tool("connect", address, CANARY), "Connection refused")
        equal(c.tool("ask", address, CANARY), "Connection refused")
    # the container's own loopback is its own
    equal(c.tool("connect", "127.0.0.1", CANARY), "Connection refused")
    equal(pathlib.Path(lab.canary.log).read_text(), before)


@test
def link_local_and_metadata_addresses_are_out_of_reach(lab, c):
    c.start()
    before = pathlib.Path(lab.canary.log).read_text()
    equal(c.tool("connect", "169.254.169.254", 80), "No route to host")
    equal(c.tool("ask", "169.254.169.254", 80), "No route to host")
    equal(pathlib.Path(lab.canary.log).read_text(), before)
    equal(from_host("connect", "169.254.169.254", 80), "169.254.169.254")


@test
def raw_frames_do_not_reach_the_hosts_loopback(lab, c):
    c.start()
    before = pathlib.Path(lab.canary.log).read_text()
    if int(c.tool("attack", CANARY)) < 200:
        raise AssertionError("too few frames were sent")
    # everything before it on the wire was handled when this one comes back
    equal(c.tool("ask", PEER4, 9001), HOST4)
    equal(c.tool("connect", PEER6, 9001), HOST6)
    equal(pathlib.Path(lab.canary.log).read_text(), before)


@test
def the_canary_hears_what_is_allowed(lab, c):
    c.start(allowHostLoopback=True)
    equal(c.tool("connect", "10.0.2.2", CANARY), "127.0.0.1")
    equal(c.tool("connect", "fd00::2", CANARY), "::1")
    equal(c.tool("ask", "10.0.2.2", CANARY), "127.0.0.1")


@test
def tftp_and_dhcp_are_silent(lab, c):
    c.start()
    read = "0001" + b"/etc/passwd".hex() + "00" + b"octet".hex() + "00"
    equal(c.tool("silent", "10.0.2.2", 69, read), "silent")
    equal(c.tool("silent", "fd00::2", 69, read), "silent")
    discover = "010106001234567800000000" + "00" * 16 + "02000a000264" + "00" * 202 + "63825363350101ff"
    equal(c.tool("silent", "10.0.2.2", 67, discover), "silent")
    equal(c.tool("silent", "255.255.255.255", 67, discover), "silent")


@test
def dns_leads_to_the_hosts_resolver_and_follows_it(lab, c):
    try:
        c.start()
        equal(c.tool("ask", "10.0.2.3", 53), "127.0.0.1")
        equal(c.tool("connect", "10.0.2.3", 53), "127.0.0.1")
        lab.resolver(PEER4)
        deadline = time.monotonic() + 20
        while c.tool("ask", "10.0.2.3", 53) != HOST4:
            if time.monotonic() > deadline:
                raise AssertionError("the new resolver was not taken")
        equal(c.tool("connect", "10.0.2.3", 53), HOST4)
    finally:
        lab.resolver("127.0.0.53")


@test
def dns_leads_to_the_servers_of_the_config(lab, c):
    c.start(dns=[PEER4, PEER6])
    equal(c.tool("ask", "10.0.2.3", 53), HOST4)
    equal(c.tool("ask", "fd00::3", 53), HOST6)


@test
def published_tcp_shows_who_comes(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80", "tcp|::|80")
    equal(c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]),
          {"ok": True, "ports": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})
    equal(from_host("connect", "127.0.0.1", 8080), "10.0.2.2")
    equal(from_host("connect", "::1", 8080), "fd00::2")
    equal(from_host("connect", HOST4, 8080), HOST4)
    equal(from_host("connect", HOST4, 8080, where=lab.in_peer), PEER4)
    equal(from_host("connect", HOST6, 8080, where=lab.in_peer), PEER6)


@test
def link_local_peers_look_like_the_gateway(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80", "tcp|::|80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    deadline = time.monotonic() + 20
    own = []
    while not own and time.monotonic() < deadline: # it is tentative for a second
        shown = subprocess.run(["ip", "-6", "-o", "address", "show", "dev", "h0", "scope", "link", "-tentative"],
                               capture_output=True, text=True, check=True).stdout
        own = [word.split("/")[0] for word in shown.split() if word.startswith("fe80:")]
        time.sleep(0.05)
    seen = "timeout"
    while seen not in ("fd00::2", "Connection reset by peer") and time.monotonic() < deadline:
        seen = from_host("connect", f"{own[0]}%p0", 8080, where=lab.in_peer)
    equal(seen, "fd00::2")


@test
def published_udp_shows_who_comes(lab, c):
    c.serve("canary", "udp|0.0.0.0|53", "udp|::|53")
    c.start(ports=[{"hostPort": 5353, "containerPort": 53, "protocol": "udp"}])
    equal(from_host("ask", "127.0.0.1", 5353), "10.0.2.2")
    equal(from_host("ask", "::1", 5353), "fd00::2")
    equal(from_host("ask", HOST4, 5353, where=lab.in_peer), PEER4)
    equal(from_host("ask", HOST6, 5353, where=lab.in_peer), PEER6)
    equal(from_host("ask", HOST4, 5353, 12000, where=lab.in_peer), PEER4)


@test
def ipv6_peers_reach_a_server_that_only_has_ipv4(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80", "udp|0.0.0.0|80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": p} for p in ("tcp", "udp")])
    equal(from_host("connect", "::1", 8080), "10.0.2.2")
    equal(from_host("connect", HOST6, 8080, where=lab.in_peer), "10.0.2.2")
    equal(from_host("ask", "::1", 8080), "10.0.2.2")
    equal(from_host("ask", HOST6, 8080, where=lab.in_peer), "10.0.2.2")


@test
def published_ports_work_without_ipv6_in_the_container(lab, c):
    c.serve("sink", "0.0.0.0", "80")
    equal(c.start(ipv6=False, ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])["ok"], True)
    equal(from_host("transfer", "127.0.0.1", 8080, 10_000_000), "intact")
    equal(from_host("transfer", "::1", 8080, 10_000_000), "intact")


@test
def a_container_whose_kernel_has_no_ipv6_is_served(lab, c):
    subprocess.run(c.inside(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6"]), check=True)
    c.serve("sink", "0.0.0.0", "80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    equal(c.tool("connect", PEER4, 9001), HOST4)
    equal(from_host("transfer", "::1", 8080, 1_000_000), "intact")
    equal(from_host("transfer", "127.0.0.1", 8080, 1_000_000), "intact")


@test
def large_transfers_through_published_ports_stay_intact(lab, c):
    c.serve("sink", "0.0.0.0", "80")
    c.serve("sink", "::", "81")
    c.start(ports=[{"hostPort": 8080 + i, "containerPort": 80 + i, "protocol": "tcp"} for i in range(2)])
    equal(from_host("transfer", HOST4, 8080, 50_000_000, where=lab.in_peer), "intact")
    equal(from_host("transfer", HOST6, 8081, 50_000_000, where=lab.in_peer), "intact")


@test
def a_burst_of_connections_is_served(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    burst = [socket.create_connection(("127.0.0.1", 8080), timeout=20) for _ in range(200)]
    equal({s.makefile().readline() for s in burst}, {"10.0.2.2\n"})


@test
def only_the_asked_address_and_ports_listen(lab, c):
    answer = c.start(ports=[{"hostIp": "127.0.0.1", "hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
                            {"hostIp": "::1", "hostPort": 8081, "containerPort": 80, "protocol": "tcp"},
                            {"hostPort": 0, "containerPort": 81, "protocol": "tcp"}])
    chosen = answer["ports"][2]["hostPort"]
    listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout.splitlines()
    found = {line.split()[3] for line in listening if f":{CANARY}" not in line and "127.0.0.53" not in line and ":80 " not in line}
    equal(found, {"127.0.0.1:8080", "[::1]:8081", f"0.0.0.0:{chosen}", f"[::]:{chosen}"})


@test
def a_taken_port_is_named_with_its_holder(lab, c):
    c.start(name="first", ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    d = lab.container()
    error = d.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])["error"]
    equal(error["kind"], "in-use")
    contains(error["message"], "cannot publish port 8080/tcp: already in use by container 'first'")
    contains(error["hint"], "sport = :8080")
    equal(d.net.wait(timeout=10), 1)
    # the first is as it was
    c.serve("canary", "tcp|0.0.0.0|80")
    equal(from_host("connect", "127.0.0.1", 8080), "10.0.2.2")
    holder = lab.spawn(lab_module.AS_USER + [lab_module.PYTHON, "-c", "import socket,time; s=socket.create_server(('',8090));"
                                             "print(flush=True); time.sleep(99)"], stdout=subprocess.PIPE)
    holder.stdout.readline()
    error = lab.container().start(ports=[{"hostPort": 8090, "containerPort": 80, "protocol": "tcp"}])["error"]
    contains(error["message"], f"(process {holder.pid})")


@test
def a_privileged_port_says_the_sysctl(lab, c):
    error = c.start(ports=[{"hostPort": 81, "containerPort": 80, "protocol": "tcp"}])["error"]
    equal(error["kind"], "denied")
    contains(error["hint"], "net.ipv4.ip_unprivileged_port_start=81")


@test
def bad_configs_are_refused(lab, c):
    for config, text in (({"mtu": 100}, "MTU"), ({"cidr": "127.0.0.0/8"}, "reserved"), ({"cidr": "10.0.2.0"}, "10.0.2.0/24"),
                         ({"interface": "a/b"}, "interface"), ({"dns": ["x"]}, "DNS"),
                         ({"ports": [{"containerPort": 70000, "protocol": "tcp"}]}, "65535"),
                         ({"ports": [{"containerPort": 80, "protocol": "sctp"}]}, "sctp"),
                         ({"ports": [{"hostIp": "localhost", "containerPort": 80, "protocol": "tcp"}]}, "localhost")):
        contains(c.start(**config)["error"]["message"], text)


@test
def another_network_and_interface_can_be_had(lab, c):
    equal(c.start(cidr="10.88.5.0/24", interface="net7", mtu=9000)["ok"], True)
    shown = subprocess.run(c.inside(["ip", "address", "show", "net7"]), capture_output=True, text=True, check=True).stdout
    contains(shown, "inet 10.88.5.100/24")
    contains(shown, "mtu 9000")
    equal(c.tool("connect", PEER4, 9001), HOST4)
    equal(c.tool("connect", "10.88.5.2", CANARY), "Connection refused")


@test
def pings_are_answered(lab, c):
    # the host's own setting decides who may ping; nobody, as it comes
    pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text(f"{lab_module.USER} {lab_module.USER}")
    c.start()
    equal(c.tool("echo", "10.0.2.2"), "10.0.2.2")
    equal(c.tool("echo", "fd00::2"), "fd00::2")
    equal(c.tool("echo", PEER4), PEER4)
    equal(c.tool("echo", "169.254.169.254"), "unreachable, code 13")
    # libslirp has no way to send these on
    equal(c.tool("echo", PEER6), "unreachable, code 1")


@test
def an_idle_container_wakes_nobody(lab, c):
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    waits = []
    while not waits or waits[0] == "running":
        waits = pathlib.Path(f"/proc/{c.net.pid}/syscall").read_text().split()
    # epoll_wait(2), which takes 64 events, with a timeout of -1; poll(2) with that, or ppoll(2) without one
    timeout = waits[4] if waits[3] == "0x40" else waits[3]
    if timeout not in ("0xffffffff", "0xffffffffffffffff") and (timeout != "0x0" or waits[3] == "0x40"):
        raise AssertionError(f"it sleeps with a timeout: {waits}")


@test
def root_has_it_too(lab, _):
    c = lab.container(rootful=True)
    c.serve("canary", "tcp|0.0.0.0|80")
    equal(c.start(ports=[{"hostPort": 82, "containerPort": 80, "protocol": "tcp"}])["ok"], True)
    equal(c.tool("connect", PEER4, 9001), HOST4)
    equal(c.tool("ask", "10.0.2.3", 53), "127.0.0.1")
    equal(from_host("connect", "127.0.0.1", 82), "10.0.2.2")
    check_sandbox(c)


@test
def the_helper_is_sandboxed(lab, c):
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    check_sandbox(c)


@test
def the_connector_can_only_make_sockets(lab, c):
    c.start()
    equal(children_of(c.net.pid), [])
    d = lab.container()
    d.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    connector, = children_of(d.net.pid)
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{connector}/status").read_text().splitlines())
    equal(status["Name"].strip(), "sdpod-connect")
    for key, wanted in (("CapEff", 1 << 12), ("CapPrm", 1 << 12), ("CapInh", 0), ("CapBnd", 0), ("CapAmb", 0)):
        equal(int(status[key], 16), wanted)
    equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
    for space in "user", "net":
        equal(os.readlink(f"/proc/{connector}/ns/{space}"), os.readlink(f"/proc/{d.init.pid}/ns/{space}"))
    equal(os.listdir(f"/proc/{connector}/fd"), ["3"])
    d.kill()
    d.net.wait(timeout=20)
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{connector}") and time.monotonic() < deadline:
        os.sched_yield()
    equal(os.path.exists(f"/proc/{connector}"), False)


def children_of(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@test
def a_port_nobody_serves_is_a_reset_at_once(lab, c):
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    for address in "127.0.0.1", "::1", HOST4:
        equal(from_host("connect", address, 8080), "Connection reset by peer")
    equal(from_host("connect", HOST6, 8080, where=lab.in_peer), "Connection reset by peer")


@test
def without_its_connector_a_port_refuses_and_the_rest_goes_on(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    os.kill(children_of(c.net.pid)[0], signal.SIGKILL)
    equal(from_host("connect", "127.0.0.1", 8080), "Connection reset by peer")
    equal(c.tool("connect", PEER4, 9001), HOST4)


@test
def an_ipv6_address_is_published_for_a_container_without_ipv6(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80")
    c.start(ipv6=False, ports=[{"hostIp": HOST6, "hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    equal(from_host("connect", HOST6, 8080, where=lab.in_peer), "10.0.2.2")


@test
def a_container_that_undoes_the_routing_harms_itself_alone(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    equal(from_host("connect", HOST4, 8080, where=lab.in_peer), PEER4)
    before = pathlib.Path(lab.canary.log).read_text()
    # answers to the peer now go out by the tap, where they belong to no connection, as do the container's own
    subprocess.run(c.inside(["ip", "rule", "delete", "priority", "100"]), check=True)
    with socket.create_connection(("127.0.0.1", 8080), timeout=20):
        contains(("timeout", "Network is unreachable"), c.tool("connect", PEER4, 9001))
        equal(c.net.poll(), None)
    equal(pathlib.Path(lab.canary.log).read_text(), before)


def falls_asleep(pid):
    """Whether the process comes to rest: it sleeps in ten looks, and has done nothing between the first and the last."""
    deadline = time.monotonic() + 20
    looks = []
    while time.monotonic() < deadline:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        looks = [*looks, (stat[0], stat[11], stat[12])][-10:]
        if looks.count(("S", *looks[0][1:])) == 10:
            return True
        time.sleep(0.1)
    return False


@test
def a_container_that_destroys_the_listeners_harms_itself_alone(lab, c):
    c.serve("canary", "tcp|0.0.0.0|80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    ss = ["ss", "-Hltn", "sport", "=", "1"]
    contains(subprocess.run(c.inside(ss), check=True, capture_output=True, text=True).stdout, "LISTEN")
    subprocess.run(c.inside([*ss[:1], "-K", *ss[1:]]), check=True, capture_output=True)
    equal(falls_asleep(c.net.pid), True)
    equal(from_host("connect", HOST4, 8080, where=lab.in_peer), PEER4)


@test
def a_mark_takes_a_container_nowhere_but_to_itself(lab, c):
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    before = pathlib.Path(lab.canary.log).read_text()
    for address in "127.0.0.1", "10.0.2.2", HOST4, PEER4:
        contains(("Connection refused", "Network is unreachable"), c.tool("marked", address, CANARY))
    equal(pathlib.Path(lab.canary.log).read_text(), before)


@test
def thousands_of_connections_at_once(lab, c):
    c.serve("echo_server", "0.0.0.0", "80")
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    equal(from_host("crowd_echo", "127.0.0.1", 8080, 2500), "2500 answered")
    # they are gone, and the next one is served
    equal(from_host("crowd_echo", "127.0.0.1", 8080, 1), "1 answered")


@test
def an_idle_connection_costs_nothing(lab, c):
    c.serve("echo_server", "0.0.0.0", "80")
    # without IPv6, for which the container's kernel announces itself now and then
    c.start(ipv6=False, ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])

    def wakeups():
        lines = pathlib.Path(f"/proc/{c.net.pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)

    with socket.create_connection(("127.0.0.1", 8080), timeout=20) as s:
        s.sendall(b"x")
        equal(s.recv(1), b"x")
        # until it sleeps; then one second's worth of silence
        before = -1
        while before != wakeups():
            before = wakeups()
            time.sleep(0.2)
        time.sleep(1)
        equal(wakeups(), before)


def check_sandbox(c):
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{c.net.pid}/status").read_text().splitlines())
    for key in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        equal(status[key].strip(), "0" * 16)
    equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
    equal(os.listdir(f"/proc/{c.net.pid}/root"), ["etc"])
    equal(os.listdir(f"/proc/{c.net.pid}/root/etc"), ["resolv.conf"])
    equal(pathlib.Path(f"/proc/{c.net.pid}/root/etc/resolv.conf").read_text(), "nameserver 127.0.0.53\n")
    if os.readlink(f"/proc/{c.net.pid}/ns/user") == os.readlink("/proc/self/ns/user"):
        raise AssertionError("no user namespace of its own")


@test
def the_helper_holds_little_memory(lab, c):
    # with a second one, so that pages of libraries count as shared: what one container more costs
    lab.container().start()
    c.start(ports=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}])
    rollup = pathlib.Path(f"/proc/{c.net.pid}/smaps_rollup").read_text()
    private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith(("Private_", "Swap:")))
    print(f"# private memory: {private} kB")
    if private >= 1024:
        raise AssertionError(f"{private} kB private")


@test
def the_helper_ends_with_the_container(lab, c):
    c.start()
    d = lab.container()
    d.start()
    c.kill()
    equal(c.net.wait(timeout=20), 0)
    equal(d.net.poll(), None)
    d.net.send_signal(signal.SIGTERM)
    equal(d.net.wait(timeout=20), -signal.SIGTERM)
    equal(d.init.poll(), None)


def main():
    reason = None if os.environ.get("SDPOD_LAB") == "1" else lab_module.why_not()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    lab_module.enter()
    lab = Lab()
    lab.canary = lab.serve("canary", *(f"{p}|{a}|{CANARY}" for p in ("tcp", "udp") for a in ("0.0.0.0", "::")),
                           "tcp|169.254.169.254|80", "udp|169.254.169.254|80", "tcp|127.0.0.53|53", "udp|127.0.0.53|53")
    lab.serve("canary", "tcp|0.0.0.0|9001", "udp|0.0.0.0|9001", "tcp|::|9001", "udp|::|9001", "tcp|0.0.0.0|53",
              "udp|0.0.0.0|53", "tcp|::|53", "udp|::|53", where=lab.in_peer)
    lab.serve("sink", "::", "9002", where=lab.in_peer)
    wanted = [t for t in TESTS if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    failed = 0
    print(f"1..{len(wanted)}")
    for n, function in enumerate(wanted, 1):
        kept = len(lab.children)
        try:
            function(lab, lab.container())
            print(f"ok {n} - {function.__name__}", flush=True)
        except Exception as e:  # pylint: disable=broad-except
            failed = 1
            print(f"not ok {n} - {function.__name__}\n# {type(e).__name__}: {e}", flush=True)
        for child in lab.children[kept:]:
            if child.poll() is None:
                child.kill()
            child.wait()
        del lab.children[kept:]
    return failed


if __name__ == "__main__":
    sys.exit(main())
