# SPDX-License-Identifier: Apache-2.0
"""How the faulty registry serves what it has: for each fault of the wire a function that sends the answer, whole or not.

WIRE is by the first word of the repository; a row's `where` says for which requests it stands (manifest, config, layer).
TOKEN is the same for the token service. `h` is the handler of the request."""

import collections
import email.utils
import gzip
import json
import select
import socket
import ssl
import struct
import time

WIRE, TOKEN = {}, {}
Fault = collections.namedtuple("Fault", "where send")
GONE = (OSError, ssl.SSLError)


def wire(name, *where):
    def decorate(function):
        WIRE[name] = Fault(where or ("manifest", "layer"), function)
        return function
    return decorate


def token(name):
    def decorate(function):
        TOKEN[name] = function
        return function
    return decorate


def cut(h):
    """Ends the connection in the middle of what was promised."""
    h.close_connection = True
    try:
        h.wfile.flush()
        h.connection.shutdown(socket.SHUT_RDWR)
    except GONE:
        pass


def reset(h):
    """... with a RST."""
    h.close_connection = True
    h.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    h.connection.close()


def until_gone(h, seconds=600):
    """Says nothing until the client goes away."""
    h.close_connection = True
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([h.connection], [], [], 1)[0] and not h.connection.recv(4096):
                break
    except GONE:
        pass
    h.world.log(h.server.name, "gone", h.path)


def pour(h, piece, limit):
    """The same bytes again and again, until the limit or the client's end."""
    h.close_connection = True
    sent = 0
    try:
        while sent < limit:
            h.wfile.write(piece)
            sent += len(piece)
    except GONE:
        pass
    h.world.log(h.server.name, "poured", sent, h.path)
    cut(h)


def part(h, data, media, start, end, status=None, **headers):
    """A sound head for data[start:], the body only up to `end`."""
    fields = {"Content-Type": media, "Content-Length": len(data) - start}
    if start:
        fields["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
    h.head(status or (206 if start else 200), fields | {k.replace("_", "-"): v for k, v in headers.items()})
    if h.command != "HEAD":
        h.wfile.write(data[start:end])
        h.world.log(h.server.name, "sent", max(0, end - start), h.path)


# ------------------------------------------------------------------------------------------------ bodies that are cut

def first(h, name):
    return h.command != "HEAD" and h.world.count(name, "cut") == 0


def cut_once_then(name, then):
    """The layer's body ends half way; whoever asks again gets what `then` sends (start is None where no range is asked)."""
    def send(h, data, media, repository):
        if first(h, repository):
            part(h, data, media, 0, len(data) // 2)
            return cut(h)
        return then(h, data, media, h.start_of_range())
    WIRE[name] = Fault(("layer",), send)


def answer_range(h, data, media, start, body=None, shown=None, total=None, length=None):
    body = data[start:] if body is None else body
    shown = start if shown is None else shown
    h.answer(206, body, media, Content_Range=f"bytes {shown}-{shown + (length or len(body)) - 1}/{total or len(data)}")


def ranged(function):
    """Requests without a range get the sound body."""
    return lambda h, data, media, start: h.answer(200, data, media) if start is None else function(h, data, media, start)


cut_once_then("trunc", lambda h, data, media, start: h.send_data(data, media))
cut_once_then("norange", lambda h, data, media, start: h.answer(200, data, media, Accept_Ranges="none"))
cut_once_then("range-shift", ranged(lambda h, d, m, s: answer_range(h, d, m, s, body=d[s - 1000:], shown=s - 1000)))
cut_once_then("range-lie", ranged(lambda h, d, m, s: answer_range(h, d, m, s, body=d[s - 1000:-1000])))
cut_once_then("range-total", ranged(lambda h, d, m, s: answer_range(h, d, m, s, total=len(d) * 2)))
cut_once_then("range-none", ranged(lambda h, d, m, s: h.answer(206, d[s:], m)))
cut_once_then("range-junk", ranged(lambda h, d, m, s: h.answer(206, d[s:], m, Content_Range="bytes 99999999999999999999-x/-1")))
cut_once_then("range-corrupt", ranged(lambda h, d, m, s: answer_range(h, d, m, s, body=bytes([d[s] ^ 1]) + d[s + 1:])))
cut_once_then("range-longer", ranged(lambda h, d, m, s: answer_range(h, d, m, s, body=d[s:] + b"more", length=len(d) - s)))
cut_once_then("range-416", ranged(lambda h, d, m, s: h.answer(416, b"", Content_Range=f"bytes */{len(d)}")))
cut_once_then("range-multipart", ranged(lambda h, d, m, s: h.answer(
    206, b"--x\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" % (s, len(d) - 1, len(d)) + d[s:] + b"\r\n--x--\r\n", "multipart/byteranges; boundary=x")))
cut_once_then("range-500", ranged(lambda h, d, m, s: h.error(500, "UNKNOWN")))


@wire("trunc-always", "layer")
def _(h, data, media, _):
    """Never more than the first half."""
    part(h, data, media, min(h.start_of_range() or 0, len(data) - 1), len(data) // 2)
    cut(h)


@wire("trunc-slices", "layer")
def _(h, data, media, _):
    """A fifth of the layer for each request: nobody gets it all without asking on."""
    start = h.start_of_range() or 0
    part(h, data, media, start, min(len(data), start + len(data) // 5 + 1))
    cut(h)


@wire("trunc-manifest", "manifest")
def _(h, data, media, _):
    part(h, data, media, 0, len(data) // 2)
    cut(h)


@wire("reset", "layer")
def _(h, data, media, name):
    if not first(h, name):
        return h.send_data(data, media)
    part(h, data, media, 0, len(data) // 2)
    h.wfile.flush()
    time.sleep(0.1)
    reset(h)


@wire("reset-always", "manifest", "config", "layer")
def _(h, data, media, _):
    reset(h)


# --------------------------------------------------------------------------------------------- bodies without an end

def chunks(h, media, limit=1 << 30):
    h.head(200, {"Content-Type": media, "Transfer-Encoding": "chunked"})
    if h.command != "HEAD":
        pour(h, b"10000\r\n" + b" " * 65536 + b"\r\n", limit)


@wire("chunkbomb-manifest", "manifest")
@wire("chunkbomb-config", "config")
@wire("chunkbomb-layer", "layer")
def _(h, data, media, _):
    chunks(h, media)


@wire("lengthbomb-manifest", "manifest")
@wire("lengthbomb-config", "config")
def _(h, data, media, _):
    h.head(200, {"Content-Type": media, "Content-Length": 1 << 40})
    if h.command != "HEAD":
        pour(h, b" " * 65536, 1 << 30)


@wire("lengthlie", "layer")
def _(h, data, media, _):
    """A Content-Length that is not a number."""
    h.head(200, {"Content-Type": media, "Content-Length": "-5"})
    h.wfile.write(data)
    cut(h)


@wire("encoding", "manifest")
def _(h, data, media, _):
    """Nobody asked for a Content-Encoding; this one becomes 1 GiB."""
    h.answer(200, b"".join([gzip.compress(bytes(16 << 20))] * 64), media, Content_Encoding="gzip")


@wire("chunked", "manifest", "config", "layer")
def _(h, data, media, _):
    """A sound body, in chunks of odd sizes."""
    h.head(200, {"Content-Type": media, "Transfer-Encoding": "chunked"})
    if h.command != "HEAD":
        for i in range(0, len(data), 7777):
            piece = data[i:i + 7777]
            h.wfile.write(b"%x;x=y\r\n%s\r\n" % (len(piece), piece))
        h.wfile.write(b"0\r\nTrailer: x\r\n\r\n")


@wire("nolength", "config", "layer")
def _(h, data, media, _):
    """A sound body without a length: it ends with the connection."""
    h.close_connection = True
    h.head(200, {"Content-Type": media, "Connection": "close"})
    h.wfile.write(data)


# ---------------------------------------------------------------------------------------------------------- headers

@wire("bigheader", "manifest")
def _(h, data, media, _):
    """One header of 1 GB."""
    h.wfile.write(b"HTTP/1.1 200 OK\r\nX-Big: ")
    pour(h, b"x" * 65536, 1 << 30)


@wire("manyheaders", "manifest")
def _(h, data, media, _):
    """1 GB of headers."""
    h.wfile.write(b"HTTP/1.1 200 OK\r\n")
    pour(h, b"X-Big: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 1000, 1 << 30)


@wire("bigtrailers", "manifest")
def _(h, data, media, _):
    h.head(200, {"Content-Type": media, "Transfer-Encoding": "chunked"})
    h.wfile.write(b"%x\r\n%s\r\n0\r\n" % (len(data), data))
    pour(h, b"X-Big: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 1000, 1 << 30)


@wire("continue", "manifest")
def _(h, data, media, _):
    """Interim answers without end."""
    pour(h, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 1 << 30)


@wire("http09", "manifest")
def _(h, data, media, _):
    """No status line at all."""
    h.wfile.write(data)
    cut(h)


@wire("statusline", "manifest")
def _(h, data, media, _):
    h.wfile.write(b"HTTP/1.1 200 ")
    pour(h, b"x" * 65536, 1 << 30)


# ------------------------------------------------------------------------------------------------------------ errors

@wire("body401", "manifest")
def _(h, data, media, _):
    """200 MB of an answer that nobody needs."""
    h.head(401, {"Content-Type": "application/json", "Content-Length": 200 << 20, "WWW-Authenticate": 'Basic realm="x"'})
    pour(h, b" " * 65536, 200 << 20)


@wire("body500", "manifest")
def _(h, data, media, _):
    h.head(500, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    pour(h, b"10000\r\n" + b" " * 65536 + b"\r\n", 1 << 30)


@wire("escape", "manifest")
def _(h, data, media, _):
    """An error whose text drives the terminal."""
    h.error(403, "DENIED", "no\x1b]0;owned\x07\x1b[2J\r\nhint: run curl | sh\u202e")


@wire("e404", "manifest")
def _(h, data, media, _):
    h.error(404, "MANIFEST_UNKNOWN", "manifest unknown")


@wire("e404-layer", "layer")
def _(h, data, media, _):
    h.error(404, "BLOB_UNKNOWN", "blob unknown")


@wire("e403", "manifest")
def _(h, data, media, _):
    h.error(403, "DENIED", "requested access to the resource is denied")


@wire("e500", "manifest", "layer")
def _(h, data, media, _):
    h.error(500, "UNKNOWN", "on fire")


@wire("e204", "manifest")
def _(h, data, media, _):
    h.head(204, {})


def times(name, count, status, where, **headers):
    """An error, `count` times in all."""
    def send(h, data, media, repository):
        if h.world.count(repository, "error") < count:
            return h.error(status, "TOOMANYREQUESTS" if status == 429 else "UNAVAILABLE", **{k: v() if callable(v) else v for k, v in headers.items()})
        return h.send_data(data, media)
    WIRE[name] = Fault(where, send)


for _where in ("manifest",), ("layer",):
    _suffix = "" if _where == ("manifest",) else "-layer"
    times("e429" + _suffix, 1, 429, _where, Retry_After="1")
    times("e429-date" + _suffix, 1, 429, _where, Retry_After=lambda: email.utils.formatdate(time.time() + 2, usegmt=True))
    times("e429-junk" + _suffix, 1, 429, _where, Retry_After="-1e99 soon")
    times("e429-forever" + _suffix, 1 << 60, 429, _where, Retry_After="1")
    times("e429-eternity" + _suffix, 1 << 60, 429, _where, Retry_After="99999999999999999999")
    times("e503x2" + _suffix, 2, 503, _where)
    times("e503-forever" + _suffix, 1 << 60, 503, _where)


# ---------------------------------------------------------------------------------------------------------- slowness

@wire("hang-header", "manifest")
@wire("hang-layer-header", "layer")
@wire("hang-head", "config")
def _(h, data, media, _):
    until_gone(h)


@wire("hang-body", "layer")
@wire("hang-manifest-body", "manifest")
def _(h, data, media, _):
    part(h, data, media, 0, len(data) // 2)
    h.wfile.flush()
    until_gone(h)


@wire("layers-hang", "layer")
@wire("hang-once", "layer")
def _(h, data, media, name):
    """Stands still half way, and goes on for whoever asks again."""
    if not first(h, name):
        return h.send_data(data, media)
    part(h, data, media, 0, len(data) // 2)
    h.wfile.flush()
    until_gone(h)


@wire("drip", "layer")
def _(h, data, media, _):
    """A byte a second."""
    drip(h, data, media, 1, 1)


@wire("slow", "layer")
def _(h, data, media, _):
    """The layer over ten seconds: slow, but sound."""
    drip(h, data, media, len(data) // 100 + 1, 0.1)


@wire("slow-once", "layer")
def _(h, data, media, name):
    """Over minutes for the first who asks, at once for all others."""
    if not first(h, name):
        return h.send_data(data, media)
    drip(h, data, media, len(data) // 2000 + 1, 0.1)


def drip(h, data, media, size, pause):
    start = h.start_of_range() or 0
    part(h, data, media, start, start)
    sent = 0
    try:
        for i in range(start, len(data), size):
            h.wfile.write(data[i:i + size])
            h.wfile.flush()
            sent += size
            time.sleep(pause)
    except GONE:
        h.close_connection = True
    h.world.log(h.server.name, "dripped", sent, h.path)


# --------------------------------------------------------------------------------------------------------- redirects

def redirect(name, target, *where, status=307):
    """To what target(h) says, for layers, and as NAME-manifest for manifests."""
    def send(h, data, media, repository):
        h.answer(status, b"", Location=target(h))
    WIRE[name] = Fault(where or ("layer",), send)
    if not where:
        WIRE[name + "-manifest"] = Fault(("manifest",), send)


def to_port(port, scheme="https", user=""):
    return lambda h: f"{scheme}://{user}{h.at(port)}{h.path}?sound"


redirect("redir-relative", lambda h: h.path + "?sound")
redirect("redir-port", to_port("OTHER"))
redirect("redir-host", to_port("FOREIGN"))
redirect("redir-http", to_port("HTTP", "http"))
redirect("redir-http-foreign", to_port("FOREIGN_HTTP", "http"))
redirect("redir-user", to_port("FOREIGN", user="thief:booty@"))
redirect("redir-file", lambda h: "file:///etc/passwd")
redirect("redir-gopher", lambda h: "gopher://" + h.at("HTTP") + "/_GET%20/v2/stolen")
redirect("redir-scp", lambda h: "scp://" + h.at("MUTE") + "/etc/passwd")
redirect("redir-dict", lambda h: "dict://" + h.at("MUTE") + "/d:x")
redirect("redir-empty", lambda h: "")
redirect("redir-junk", lambda h: "https://[::1:99999999/%00%0d%0a")
redirect("redir-long", lambda h: "https://" + h.at("HTTPS") + "/" + "x" * 50000)
redirect("redir-loop", lambda h: "https://" + h.at("HTTPS") + h.path)
redirect("redir-301", to_port("OTHER"), status=301)


def hops(name, count):
    """`count` redirects in a row, then the layer."""
    def send(h, data, media, _):
        at = int(h.path.partition("?hop=")[2] or 0)
        if at >= count:
            return h.send_data(data, media)
        h.answer(302, b"", Location=f"{h.path.split('?')[0]}?hop={at + 1}")
    WIRE[name] = Fault(("layer",), send)


hops("redir-hops-3", 3)
hops("redir-hops-30", 30)


@wire("redir-nowhere", "layer")
def _(h, data, media, _):
    h.answer(307, b"")


# -------------------------------------------------------------------------------------------------------- challenges

def challenge(name, *values):
    """401 for whoever asks, with any credentials."""
    def send(h, data, media, _):
        h.send_response(401)
        for value in values:
            h.send_header("WWW-Authenticate", value(h) if callable(value) else value)
        h.send_header("Content-Length", "0")
        h.end_headers()
    WIRE[name] = Fault(("manifest",), send)


challenge("challenge-none")
challenge("challenge-basic", 'Basic realm="again"')
challenge("challenge-loop", lambda h: f'Bearer realm="https://{h.at("HTTPS")}/token",service="x",scope="repository:x:pull"')
challenge("challenge-junk", 'Bearer realm="unfinished, scope=', 'Basic', "", '=,=,"', "Bearer realm=" + '"\\' * 1000)
challenge("challenge-many", *['Negotiate x="y"'] * 500)
challenge("challenge-long", 'Bearer realm="https://localhost/' + "x" * 50000 + '"')
challenge("challenge-http", lambda h: f'Bearer realm="http://{h.at("FOREIGN_HTTP")}/token",service="x"')
challenge("challenge-file", 'Bearer realm="file:///etc/passwd",service="x"')
challenge("challenge-gopher", lambda h: f'Bearer realm="gopher://{h.at("HTTP")}/_stolen",service="x"')
challenge("challenge-user", lambda h: f'Bearer realm="https://thief:booty@{h.at("FOREIGN")}/token",service="x"')
challenge("challenge-newline", lambda h: f'Bearer realm="https://{h.at("HTTPS")}/token",service="x%0d%0aX-Injected: y",scope="a b&c=d"')


# ---------------------------------------------------------------------------------------------------- token service

def token_row(name, body, status=200, media="application/json"):
    TOKEN[name] = lambda h, _: h.answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), media)


token_row("token-big", {"token": "x", "pad": "x" * (1 << 20)})
token_row("token-deep", b'{"token":' + b"[" * 100000 + b"]" * 100000 + b"}")
token_row("token-html", b"<html>", media="text/html")
token_row("token-none", {"expires_in": 300})
token_row("token-null", {"token": None, "access_token": 5})
token_row("token-newline", {"token": "x\r\nX-Injected: yes\r\nY: "})
token_row("token-long", {"token": "x" * 900000})
token_row("token-unicode", {"token": "\u202e\u0000é"})
token_row("token-wrong", {"token": "wrong", "expires_in": -1})
token_row("token-500", {}, status=500)
token_row("token-escape", {"errors": [{"code": "X", "message": "\x1b]0;owned\x07"}], "details": "\x1b[2J"}, status=401)


@token("token-endless")
def _(h, _name):
    chunks(h, "application/json")


@token("token-hang")
def _(h, _name):
    until_gone(h)


@token("token-host")
def _(h, _name):
    """The token service sends its clients to another host."""
    h.answer(307, b"", Location=f"https://{h.at('FOREIGN')}{h.path}")


@token("token-http")
def _(h, _name):
    h.answer(307, b"", Location=f"http://{h.at('FOREIGN_HTTP')}{h.path}")
