"""The times of every goroutine, to the nanosecond, beside Go's own reader."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gocost.measures.trace import read_trace
from gocost.model.errors import FormatError
from tests.fixtures.trace_text import cases
from tests.fixtures.traces import LOADS, TOOLCHAINS, fold, recorded

SHARED = Path(__file__).parents[4] / "shared" / "data" / "traces"


def ours(path: Path) -> dict[int, tuple[int, int, int, int]]:
    rows = read_trace(path, keep=None).goroutines.tolist()
    found = {row[0]: (row[2], row[3], row[4], row[5]) for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
@pytest.mark.parametrize("load", LOADS)
def test_recorded(toolchain: str, load: str) -> None:
    path = recorded(toolchain, load)
    found = ours(path)
    assert len(found) > 10
    assert found == fold(path)


def test_of_go_1_25() -> None:
    path = SHARED / "1.25" / "test-encoding-json.trace"
    if not path.exists():
        pytest.skip("needs ../shared/data beside the checkout")
    trace = read_trace(path)
    assert trace.events == 23_717
    assert abs(trace.clock.snapshot_ns - trace.clock.monotonic_ns) < 64  # type: ignore[operator]
    assert ours(path) == fold(path)


def go_tests() -> list[tuple[str, bool, bytes]]:
    """The traces that the Go source tests its own reader with."""
    done = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=False)
    folder = Path(done.stdout.strip()) / "src" / "internal" / "trace" / "testdata" / "tests"
    if not folder.is_dir():
        pytest.skip("needs a Go of 1.22 or newer with its source")
    return list(cases(folder))


def test_accepted_and_refused_as_go_declares(tmp_path: Path) -> None:
    known = go_tests()
    assert len(known) >= 20
    for name, good, data in known:
        path = tmp_path / f"{name}.trace"
        path.write_bytes(data)
        if good:
            assert ours(path) == fold(path), name
            continue
        with pytest.raises(FormatError, match="have one"):
            read_trace(path)
