"""What goes wrong with a service that is portrayed, and the one line that says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from gocost.measures.portrait import measure
from gocost.measures.serving import ServiceError
from gocost.model.errors import GocostError
from gocost.model.service import Load, Run
from tests.fixtures.watched import LINUX, context_of, free_port, run_of, running, target_of

pytestmark = LINUX


def failure(run: Run, tmp_path: Path) -> GocostError:
    with pytest.raises(GocostError) as caught:
        measure(target_of(run, tmp_path), context_of(tmp_path))
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    return caught.value


def test_a_port_in_use_before_the_start(tmp_path: Path) -> None:
    with running() as (_, url):
        run = replace(run_of(), ready=f"{url}/healthz")
        assert "is in use: something answers at" in str(failure(run, tmp_path))


def test_a_port_in_use_that_only_the_service_knows(tmp_path: Path) -> None:
    with running() as (_, url):
        listen = f"-listen={url.removeprefix('http://')}"
        ready = f"http://127.0.0.1:{free_port()}/healthz"
        run = replace(run_of(), command=("{binary}", listen), ready=ready)
        assert "the service's port is in use" in str(failure(run, tmp_path))


def test_a_service_that_never_gets_ready(tmp_path: Path) -> None:
    for within in (0.5, 5.0, 50.0):  # on a busy machine it does not even listen in half a second
        error = failure(replace(run_of("-unready"), ready_within=within), tmp_path)
        assert f"was not ready within {within:g} s" in str(error)
        if "answered 503" in str(error):
            break
    assert "answered 503" in str(error)
    assert "listening on" in str(error)
    assert isinstance(error, ServiceError)
    assert "listening on" in error.output


def test_a_service_that_ends_at_once(tmp_path: Path) -> None:
    error = failure(run_of("-no-such-flag"), tmp_path)
    assert "ended with status 2 before it was ready" in str(error)


def test_a_service_that_dies_under_load(tmp_path: Path) -> None:
    error = failure(run_of("-die-after=2s", requests=100, seconds=4.0), tmp_path)
    assert "ended with status 3" in str(error)
    assert "panic: the end" in str(error)


def test_a_load_that_fails(tmp_path: Path) -> None:
    load = Load(command=(sys.executable, "-c", "import sys; sys.exit('no such route')"))
    error = failure(replace(run_of(), load=load), tmp_path)
    assert "ended with status 1: no such route" in str(error)


@pytest.mark.parametrize("load", [Load(), Load(vegeta="a", command=("b",))])
def test_a_load_of_nothing_or_of_two_things(load: Load, tmp_path: Path) -> None:
    assert "neither" in str(error := failure(replace(run_of(), load=load), tmp_path)) or (
        "both" in str(error)
    )


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    run = replace(run_of(), command=("no-such-program", "{port}"))
    assert "there is no program 'no-such-program'" in str(failure(run, tmp_path))
