"""A steady, healthy load on the services of `healthy_services`: what comes goes again.

Requests follow each other at random (exponential gaps), connections are renewed now and then, and
beside them there are clients that stay a while and hold a goroutine each in the service: idle
connections, watches of etcd, slow downloads and slow uploads. All of them end on their side after
a random time, so that as many leave as come; that is what must not be called a leak.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.healthy_services import PAYMENTS

STAY_SECONDS = 15.0
"""How long a client that holds something stays on average; warm-up takes several of these."""
_RENEWED = 40
"""Requests of a connection on average."""
_TIMEOUT = 30.0

Connection = http.client.HTTPConnection
Act = Callable[["Client", Connection], None]


@dataclass
class Load:
    """All clients of all services; `counts` is what they did, by service and act."""

    stop: threading.Event = field(default_factory=threading.Event)
    counts: Counter[str] = field(default_factory=Counter)
    threads: list[threading.Thread] = field(default_factory=list)

    def add(self, clients: int, name: str, port: int, act: Act, gap: float) -> None:
        """So many clients that do this, with gaps of so many seconds on average."""
        for _ in range(clients):
            number = len(self.threads)
            client = Client(self, f"{name} {act.__name__.strip('_')}", port, act, gap, number)
            self.threads.append(threading.Thread(target=client.run, daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """Wait until every client is done."""
        self.stop.set()
        for thread in self.threads:
            thread.join(_TIMEOUT)


@dataclass
class Client:
    """One client: acts, waits, and acts again."""

    load: Load
    name: str
    port: int
    act: Act
    gap: float
    number: int
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.number)

    def run(self) -> None:
        """Until the load ends."""
        connection = Connection("127.0.0.1", self.port, timeout=_TIMEOUT)
        while not self.load.stop.wait(self.random.expovariate(1 / self.gap)):
            try:
                self.act(self, connection)
                self.load.counts[self.name] += 1
            except (OSError, http.client.HTTPException) as error:
                self.load.counts[f"{self.name}: {type(error).__name__}"] += 1
                connection.close()
            if self.random.random() < 1 / _RENEWED:
                connection.close()
        connection.close()

    def stay(self, most: float | None = None) -> None:
        """Hold what is held for a while."""
        seconds = self.random.expovariate(1 / STAY_SECONDS)
        self.load.stop.wait(min(seconds, most or 6 * STAY_SECONDS))


def asked(
    connection: Connection,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> http.client.HTTPResponse:
    """The answer, read to its end. Raises HTTPException for a status that says no."""
    connection.request(method, path, body or None, dict(headers or {}))
    answer = connection.getresponse()
    answer.read()
    if answer.status >= 400:
        raise http.client.HTTPException(f"{method} {path}: {answer.status}")
    return answer


def steady(ports: Mapping[str, int]) -> Load:
    """The load on all services, by name; a name that is not theirs is a payment service."""
    load = Load()
    for name in sorted(ports.keys() - _ACTS.keys()):
        load.add(4, name, ports[name], pay, 0.2)
        load.add(20, name, ports[name], idle, 3.0)
    for name, acts in _ACTS.items():
        for clients, act, gap in acts if name in ports else ():
            load.add(clients, name, ports[name], act, gap)
    return load


def idle(client: Client, connection: Connection) -> None:
    """A connection of its own that stays open behind one request."""
    path = "/healthz" if "pay" in client.name else "/-/healthy" if "prom" in client.name else "/"
    own = Connection("127.0.0.1", client.port, timeout=_TIMEOUT)
    try:
        asked(own, "GET", path)
        client.stay()
    finally:
        own.close()


def pay(client: Client, connection: Connection) -> None:
    """One of the example's own targets."""
    method, path, headers, body = client.random.choice(_targets())
    asked(connection, method, path, body, headers)


_TARGETS: list[tuple[str, str, dict[str, str], bytes]] = []


def _targets() -> list[tuple[str, str, dict[str, str], bytes]]:
    """load/pay.targets, in vegeta's format: a request line, headers, and @ a file."""
    if not _TARGETS:
        for block in (PAYMENTS / "load/pay.targets").read_text().strip().split("\n\n"):
            first, *rest = block.split("\n")
            method, url = first.split(" ", 1)
            body = [PAYMENTS / line[1:] for line in rest if line.startswith("@")]
            headers = dict(line.split(": ", 1) for line in rest if not line.startswith("@"))
            content = Path(body[0]).read_bytes() if body else b""
            path = urlsplit(url.replace("{port}", "0")).path
            _TARGETS.append((method, path, headers, content))
    return _TARGETS


def fetch(client: Client, connection: Connection) -> None:
    """A page, the list of pages, or a request that is passed on."""
    page = f"/page-{client.random.randrange(20)}.html"
    path = client.random.choice((page, page, page, "/", "/payments/healthz"))
    asked(connection, "GET", path, headers={"Accept-Encoding": "gzip"})


def download_slowly(client: Client, connection: Connection) -> None:
    """Reads some of a large file now and then, and goes away."""
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        own.settimeout(_TIMEOUT)
        own.connect(("127.0.0.1", client.port))
        own.sendall(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until = time.monotonic() + min(client.random.expovariate(1 / STAY_SECONDS), 60)
        while time.monotonic() < until and not client.load.stop.wait(1):
            own.recv(1 << 15)


def _post(connection: Connection, path: str, body: Mapping[str, object]) -> None:
    asked(connection, "POST", path, json.dumps(body).encode())


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def put_and_get(client: Client, connection: Connection) -> None:
    """A key is written, read, and read with its neighbours."""
    key = f"key-{client.random.randrange(500)}"
    _post(connection, "/v3/kv/put", {"key": _text(key), "value": _text("v" * 200)})
    _post(connection, "/v3/kv/range", {"key": _text(key)})
    _post(connection, "/v3/kv/range", {"key": _text("key-1"), "range_end": _text("key-2")})


def lease(client: Client, connection: Connection) -> None:
    """A lease with a key, which ends by itself."""
    number = str(client.random.randrange(1, 1 << 40))
    _post(connection, "/v3/lease/grant", {"TTL": 10, "ID": number})
    key = {"key": _text(f"leased-{number}"), "value": _text("v"), "lease": number}
    _post(connection, "/v3/kv/put", key)


def watch(client: Client, connection: Connection) -> None:
    """A watch of all keys that stays open for a while, its events read."""
    body = json.dumps({"create_request": {"key": _text("key-1"), "range_end": _text("key-2")}})
    with socket.socket() as own:
        own.settimeout(0.5)
        own.connect(("127.0.0.1", client.port))
        head = f"POST /v3/watch HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        own.sendall((head + body).encode())
        until = time.monotonic() + min(client.random.expovariate(1 / STAY_SECONDS), 60)
        while time.monotonic() < until and not client.load.stop.wait(1):
            try:
                if not own.recv(1 << 16):
                    raise http.client.HTTPException("the watch was closed")
            except TimeoutError:
                continue


def push_and_pull(client: Client, connection: Connection) -> None:
    """An image of one layer is pushed, pulled and deleted."""
    blobs = [os.urandom(20_000), b"{}"]
    for blob in blobs:
        where = asked(connection, "POST", "/v2/load/blobs/uploads/").headers["Location"]
        _complete(connection, where, blob)
    kinds = ("application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.empty.v1+json")
    layer, config = (
        {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}
        for kind, blob in zip(kinds, blobs, strict=True)
    )
    kind = "application/vnd.oci.image.manifest.v1+json"
    image = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}
    manifest = json.dumps(image).encode()
    tag = f"/v2/load/manifests/tag-{client.random.randrange(20)}"
    asked(connection, "PUT", tag, manifest, {"Content-Type": kind})
    asked(connection, "GET", tag, headers={"Accept": kind})
    asked(connection, "GET", f"/v2/load/blobs/{_digest(blobs[0])}")
    asked(connection, "DELETE", f"/v2/load/blobs/{_digest(blobs[0])}")


def upload_slowly(client: Client, connection: Connection) -> None:
    """A layer of which half comes at once, and the rest a while later."""
    blob = os.urandom(2_000)
    own = Connection("127.0.0.1", client.port, timeout=_TIMEOUT)
    try:
        where = asked(own, "POST", "/v2/slow/blobs/uploads/").headers["Location"]
        parts = urlsplit(where)
        own.putrequest("PATCH", f"{parts.path}?{parts.query}")
        own.putheader("Content-Type", "application/octet-stream")
        own.putheader("Content-Length", str(len(blob)))
        own.endheaders(blob[:1000])
        client.stay()
        own.send(blob[1000:])
        answer = own.getresponse()
        answer.read()
        _complete(own, answer.headers["Location"], b"", _digest(blob))
    finally:
        own.close()


def _complete(connection: Connection, where: str, blob: bytes, digest: str = "") -> None:
    parts = urlsplit(where)
    query = urlencode({"digest": digest or _digest(blob)})
    path = f"{parts.path}?{parts.query}&{query}" if parts.query else f"{parts.path}?{query}"
    asked(connection, "PUT", path, blob, {"Content-Type": "application/octet-stream"})


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


_QUERIES = (
    "up",
    "go_goroutines",
    "sum by (job) (rate(process_cpu_seconds_total[1m]))",
    "max_over_time(go_memstats_heap_alloc_bytes[5m])",
    "histogram_quantile(0.99, sum by (le, job) (rate(go_gc_pauses_seconds_bucket[5m])))",
    "topk(10, count by (__name__) ({job=~'.+'}))",
)


def query(client: Client, connection: Connection) -> None:
    """A question at one time, or over the last ten minutes."""
    text = client.random.choice(_QUERIES)
    if client.random.random() < 0.5:
        asked(connection, "GET", f"/api/v1/query?{urlencode({'query': text})}")
        return
    now = time.time()
    over = {"query": text, "start": now - 600, "end": now, "step": 15}
    asked(connection, "GET", f"/api/v1/query_range?{urlencode(over)}")


_ACTS: Mapping[str, tuple[tuple[int, Act, float], ...]] = {
    "caddy": ((4, fetch, 0.3), (30, idle, 3.0), (10, download_slowly, 3.0)),
    "etcd": ((4, put_and_get, 0.5), (1, lease, 2.0), (40, watch, 3.0)),
    "registry": ((3, push_and_pull, 1.0), (20, upload_slowly, 3.0)),
    "prometheus": ((3, query, 1.0), (20, idle, 3.0)),
}
"""By service: clients, what they do, and the seconds between two of that on average."""
