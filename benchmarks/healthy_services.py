"""Five services that people run, built from the module proxy and started on free ports.

    with running(["etcd"], scratch, {}) as services: services["etcd"].pages

Each is a module of its own that requires the program, so that a program whose go.mod has `replace`
builds as well. They are kept under `.cache/healthy`. What of a program needs assets of its web page
is served without them, and Prometheus is built without service discovery, which nothing here uses.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAYMENTS = ROOT / "examples" / "payments"
CACHE = ROOT / ".cache" / "healthy"
READY_SECONDS = 60.0

_CADDY = """{
  "admin": {"listen": "127.0.0.1:{port2}"},
  "logging": {"logs": {"default": {"level": "ERROR"}}},
  "apps": {"http": {"metrics": {}, "servers": {"files": {
    "listen": ["127.0.0.1:{port}"], "automatic_https": {"disable": true},
    "routes": [
      {"match": [{"path": ["/payments/*"]}], "handle": [
        {"handler": "rewrite", "strip_path_prefix": "/payments"},
        {"handler": "reverse_proxy", "upstreams": [{"dial": "127.0.0.1:{payments}"}]}]},
      {"handle": [{"handler": "encode", "encodings": {"gzip": {}}},
        {"handler": "file_server", "root": "files", "browse": {}}]}]}}}}
}
"""
_REGISTRY = """version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: data}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:{port}
  debug: {addr: "127.0.0.1:{port2}", prometheus: {enabled: true, path: /metrics}}
"""
_PROMETHEUS = """global: {scrape_interval: 5s, evaluation_interval: 5s}
rule_files: [rules.yml]
scrape_configs:
  - {job_name: prometheus, static_configs: [{targets: ["127.0.0.1:{port}"]}]}
"""
_SCRAPED = '  - {job_name: NAME, static_configs: [{targets: ["127.0.0.1:PORT"]}]}\n'
_RULES = """groups:
  - name: load
    rules:
      - {record: "job:goroutines", expr: sum by (job) (go_goroutines)}
      - {alert: Gone, expr: up == 0, for: 1m}
"""


@dataclass(frozen=True, slots=True)
class Program:
    """How a service is built and started. `{port}`, `{port2}` and other services' ports are filled
    in, in arguments and files.
    """

    package: str
    module: str
    version: str
    arguments: Sequence[str]
    ready: str
    debug: str = "{port}"
    """Where /debug/pprof is."""
    tags: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


PROGRAMS: Mapping[str, Program] = {
    "payments": Program(
        "./cmd/payments",
        "",
        "",
        ("--listen=127.0.0.1:{port}", "--debug-listen=127.0.0.1:{port2}", "--ttl=60s"),
        "/healthz",
        debug="{port2}",
    ),
    "caddy": Program(
        "github.com/caddyserver/caddy/v2/cmd/caddy",
        "github.com/caddyserver/caddy/v2",
        "v2.11.9",
        ("run", "--config", "caddy.json"),
        "/",
        debug="{port2}",
        files={"caddy.json": _CADDY},
    ),
    "etcd": Program(
        "go.etcd.io/etcd/server/v3",
        "go.etcd.io/etcd/server/v3",
        "v3.7.3",
        (
            "--name=one",
            "--data-dir=data",
            "--log-level=error",
            "--listen-client-urls=http://127.0.0.1:{port}",
            "--advertise-client-urls=http://127.0.0.1:{port}",
            "--listen-peer-urls=http://127.0.0.1:{port2}",
            "--initial-advertise-peer-urls=http://127.0.0.1:{port2}",
            "--initial-cluster=one=http://127.0.0.1:{port2}",
            "--enable-pprof",
        ),
        "/health",
    ),
    "registry": Program(
        "github.com/distribution/distribution/v3/cmd/registry",
        "github.com/distribution/distribution/v3",
        "v3.1.2",
        ("serve", "registry.yml"),
        "/v2/",
        debug="{port2}",
        files={"registry.yml": _REGISTRY},
    ),
    "prometheus": Program(
        "github.com/prometheus/prometheus/cmd/prometheus",
        "github.com/prometheus/prometheus",
        "v0.316.0",
        (
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--log.level=error",
            "--web.listen-address=127.0.0.1:{port}",
        ),
        "/-/ready",
        tags="remove_all_sd",
        files={"prometheus.yml": _PROMETHEUS, "rules.yml": _RULES},
    ),
}
"""In the order in which they are started: one may name the ports of those before it."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that answers."""

    name: str
    port: int
    debug: int
    pid: int
    directory: Path

    @property
    def pages(self) -> str:
        """What a probe is given."""
        return f"http://127.0.0.1:{self.debug}"


def built(name: str) -> Path:
    """The program, built once. Raises CalledProcessError where it cannot be."""
    program = PROGRAMS[name]
    folder = CACHE / f"{name}-{program.version or 'example'}"
    binary = folder / name
    if binary.exists():
        return binary
    folder.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}
    build = ["go", "build", "-trimpath", "-ldflags=-s -w", f"-tags={program.tags}", "-o", binary]
    if not program.version:
        subprocess.run([*build, program.package], cwd=PAYMENTS, env=env, check=True)
        return binary
    if not (folder / "go.mod").exists():
        subprocess.run(["go", "mod", "init", f"healthy/{name}"], cwd=folder, env=env, check=True)
    wanted = f"{program.package}@{program.version}"
    subprocess.run(["go", "get", wanted], cwd=folder, env=env, check=True)
    subprocess.run(["nice", *build, program.package], cwd=folder, env=env, check=True)
    return binary


@contextmanager
def running(
    names: Sequence[str], scratch: Path, extra: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, Service]]:
    """The services, ready; `extra` are payments that run beside, with these arguments more.

    They start in PROGRAMS' order: Prometheus reads the metrics of those before it.
    """
    services: dict[str, Service] = {}
    with ExitStack() as stack:
        for name in [*(name for name in PROGRAMS if name in names), *extra]:
            kind = name if name in PROGRAMS else "payments"
            service = stack.enter_context(_one(name, kind, scratch, services, extra.get(name, ())))
            services[name] = service
        yield services


@contextmanager
def _one(
    name: str, kind: str, scratch: Path, others: Mapping[str, Service], more: Sequence[str]
) -> Iterator[Service]:
    program, folder = PROGRAMS[kind], scratch / name
    folder.mkdir()
    first, second = _free_ports()
    values = {"port": first, "port2": second}
    for each in others.values():
        values |= {each.name: each.port, f"{each.name}2": each.debug}
    for file, text in program.files.items():
        (folder / file).write_text(_filled(text, values))
    if kind == "prometheus":
        with (folder / "prometheus.yml").open("a") as file:
            for each in others.values():
                port = each.port if each.name in ("payments", "etcd") else each.debug
                file.write(_SCRAPED.replace("NAME", each.name).replace("PORT", str(port)))
    if kind == "caddy":
        _pages(folder / "files")
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [built(kind), *(_filled(each, values) for each in (*program.arguments, *more))],
            cwd=folder,
            stdout=output,
            stderr=output,
            env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
        )
    try:
        _wait(name, process, f"http://127.0.0.1:{first}{program.ready}", folder / "output")
        debug = int(_filled(program.debug, values))
        yield Service(name, first, debug, process.pid, folder)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _pages(folder: Path) -> None:
    folder.mkdir()
    for number in range(20):
        (folder / f"page-{number}.html").write_text(f"<p>page {number}</p>\n" * 200)
    (folder / "large.bin").write_bytes(os.urandom(1 << 20) * 16)


def _filled(text: str, values: Mapping[str, int]) -> str:
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    return text


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def _wait(name: str, process: subprocess.Popen[bytes], url: str, output: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{name} does not get ready: {output.read_text(errors='replace')[-800:]}")
