"""Options that take a number: what no command can count with is refused before anything is read."""

from __future__ import annotations

import pytest

from gocost.cli.main import run
from tests.fixtures.profiles import recorded
from tests.fixtures.traces import recorded as traces

PROFILE = "{profile}"
HUGE = ("9223372036854775807", "100000000000000000000")
CAPPED = (
    *(["profile", view, PROFILE] for view in ("top", "traces", "raw", "folded", "dot", "trend")),
    ["trace", "summary", "{trace}"],
    ["goroutines", PROFILE],
    ["attribute", "--profile", PROFILE],
    ["runtime", PROFILE],
    ["query", PROFILE, "select 1"],
    ["check", "--profile", PROFILE],
)


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("command", CAPPED, ids=" ".join)
def test_a_cap_that_no_machine_has_is_refused(
    command: list[str], number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused([*command, "--max-bytes", number], "--max-bytes", capsys)


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        (["query", PROFILE, "select 1"], "--seconds", "9300000000"),
        (["query", PROFILE, "select 1"], "--seconds", "inf"),
        (["query", PROFILE, "select 1"], "--seconds", "nan"),
        (["query", PROFILE, "select 1"], "--memory", "20000000TiB"),
        (["query", PROFILE, "select 1"], "--memory", "99999999999999999999"),
        (["query", PROFILE, "select 1"], "--memory", "1KiB"),
        (["profile", "top", "http://127.0.0.1:1"], "--seconds", "nan"),
        (["trace", "summary", "http://127.0.0.1:1"], "--seconds", "nan"),
        (["profile", "top", PROFILE], "--nodefraction", "nan"),
    ],
)
def test_what_is_no_amount_is_refused(
    command: list[str], option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused([*command, option, value], option, capsys)


def refused(words: list[str], option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With one line that names the option."""
    profile, trace = recorded() / "cpu.1.pb.gz", traces("go", "cpu")
    assert run([word.format(profile=profile, trace=trace) for word in words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert option in told.err
    assert told.err.count("\n") == 1
