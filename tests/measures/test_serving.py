"""What is filled into a `run:`, and what is made of a service's output."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gocost.measures.portrait import measure
from gocost.measures.serving import LONGEST_LINE, Heard, ServiceError, plan, serving
from gocost.model.errors import SourceError
from gocost.model.service import Load, Run
from tests.fixtures.watched import LINUX, context_of, eventually, run_of, target_of

LINE = (
    "gc 8 @0.882s 3%: 0.26+0.47+0.003 ms clock, 0.52+0.1/0.55/0.28+0.007 ms cpu, "
    "4->5->1 MB, 6 MB goal, 2 MB stacks, 3 MB globals, 2 P"
)


def test_placeholders_are_filled_in_everywhere(tmp_path: Path) -> None:
    run = Run(
        command=("{binary}", "-listen=:{port}", "-debug=:{port2}", '{"json": "{braces}"}'),
        env={"OTHER": "{port2}"},
        ready="http://127.0.0.1:{port}/ready",
        endpoints=("http://127.0.0.1:{port2}",),
        load=Load(command=("load", "{port}")),
    )
    planned = plan(run, tmp_path / "service")
    port, port2 = planned.values["port"], planned.values["port2"]
    assert port != port2
    assert planned.arguments == (
        str((tmp_path / "service").resolve()),
        f"-listen=:{port}",
        f"-debug=:{port2}",
        '{"json": "{braces}"}',
    )
    assert planned.env == {"OTHER": port2}
    assert planned.ready == f"http://127.0.0.1:{port}/ready"
    assert planned.endpoints == (f"http://127.0.0.1:{port2}",)
    assert planned.load == ("load", port)


def test_pages_are_looked_for_where_ready_is_asked() -> None:
    planned = plan(Run(command=("a",), ready="http://127.0.0.1:{port}/x/y?z"), None)
    assert [urlsplit(url).path for url in planned.endpoints] == [""]
    short = plan(Run(command=("a",), ready="127.0.0.1:{port}/x"), None)
    assert short.endpoints == (f"http://127.0.0.1:{short.values['port']}",)
    assert plan(Run(command=("a",)), None).endpoints == ()


def test_a_binary_that_was_not_built() -> None:
    with pytest.raises(SourceError, match=r"wants \{binary\}"):
        plan(Run(), None)


def test_traces_are_told_from_what_the_service_logs() -> None:
    heard = Heard()
    for line in (
        b"listening",
        LINE.encode(),
        b"init net/http @1.1 ms, 0.24 ms clock, 15408 bytes, 82 allocs",
        b"init of the cache \xff",
        b"",
        b"x" * 5000,
    ):
        heard.line(line, 7.0)
    assert [(at, cycle.number) for at, cycle in heard.cycles] == [(7.0, 8)]
    assert [package.package for package in heard.inits] == ["net/http"]
    assert heard.output() == f"listening\ninit of the cache \ufffd\n{'x' * 1000}"


@LINUX
def test_a_flood_without_line_ends_is_cut_and_the_pipe_never_full(tmp_path: Path) -> None:
    script = "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo; echo last; sleep 1000"
    with serving(
        plan(Run(command=("sh", "-c", script)), None), directory=tmp_path, ready_within=20
    ) as service:
        assert service.ready is None
        eventually(lambda: "last" in service.heard.lines)
        assert len(service.heard.lines) <= 3_000_000 // LONGEST_LINE + 3


@LINUX
def test_the_users_godebug_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GODEBUG", "madvdontneed=1")
    script = 'echo "own=$GODEBUG"; sleep 1000'
    for env, expected in (
        ({}, "own=madvdontneed=1,gctrace=1,inittrace=1"),
        ({"GODEBUG": "gctrace=0"}, "own=gctrace=0,gctrace=1,inittrace=1"),
    ):
        planned = plan(Run(command=("sh", "-c", script), env=env), None)
        with serving(planned, directory=tmp_path, ready_within=20) as service:
            heard = service.heard
            eventually(lambda heard=heard: bool(heard.lines))  # type: ignore[misc]
            assert heard.output() == expected


@LINUX
def test_where_only_the_start_is_asked_for_no_load_is_put_on(tmp_path: Path) -> None:
    from dataclasses import replace

    run = run_of(requests=10, seconds=500.0, settle=500.0)
    context = replace(context_of(tmp_path), wanted=frozenset({"process.ready.time"}))
    measured = measure(target_of(run, tmp_path), context)
    assert {fact.metric for fact in measured.facts} >= {"process.ready.time", "process.init.time"}
    assert measured.tables["phases"].column("phase") == ["start"]


@LINUX
def test_a_failed_start_names_the_command_as_it_was_declared(tmp_path: Path) -> None:
    binary = tmp_path / "built-for-the-run"
    binary.write_text("#!/bin/sh\nexit 7\n")
    binary.chmod(0o755)
    planned = plan(Run(command=("{binary}", "--listen=127.0.0.1:{port}")), binary)
    with (
        pytest.raises(ServiceError) as caught,
        serving(planned, directory=tmp_path, ready_within=20),
    ):
        pass
    assert caught.value.hint == "run `{binary} '--listen=127.0.0.1:{port}'` by hand"
