"""Dumps of a process that restarted between them are not compared as those of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import gocost
from gocost.analyses.goroutines.groups import Dumps, group
from gocost.analyses.goroutines.lives import restarted
from gocost.analyses.goroutines.verdicts import Verdict, judge
from gocost.formats.goroutine_dump.decoding import decode
from tests.analyses.goroutines.dumps import MAIN, dump, written

DYING = """SIGQUIT: quit
PC=0x47e3 m=0 sigcode=0

goroutine 0 gp=0x1 m=0 mp=0x2 [idle]:
runtime.futex()
\t/go/src/runtime/sys_linux_amd64.s:558 +0x21 fp=0x7 sp=0x7 pc=0x4

"""


def leaking(number: int) -> str:
    return written(range(10, 10 + 20 * number))


def test_one_process_that_goes_on_is_one() -> None:
    assert restarted([dump(leaking(number)) for number in (1, 2, 3)]) == ""


def test_a_number_is_never_given_again() -> None:
    one = dump(leaking(1))
    other = dump(written([10, 11]), written([12], creator="main.other"))

    assert restarted([one, one]) == ""
    assert "goroutine 12 was created in main.leak main.go:7 by dump 1 and in main.other" in (
        restarted([one, other])
    )


def test_a_creator_that_was_cut_off_is_no_other_one() -> None:
    whole = f"{MAIN}\n{written([10])}"
    cut = decode([whole[: whole.index("created by")].encode()])
    assert restarted([decode([whole.encode()]), cut]) == ""


@pytest.mark.parametrize(
    "part",
    [lambda text: DYING + text, lambda text: f"2026/11/26 log line\n{DYING}{text}\nrax 0x0\n"],
)
def test_a_process_that_dies_of_its_dump_has_no_other(part: Callable[[str], str]) -> None:
    dumps = [decode([part(f"{MAIN}\n{leaking(number)}").encode()]) for number in (1, 2, 3)]

    assert "a process that ended with it" in restarted(dumps)
    assert restarted([*dumps[:0], dump(leaking(1)), dumps[1]]) == "", "the last may be its end"


def test_what_only_looks_like_growth_is_no_leak(tmp_path: Path) -> None:
    texts = [f"{DYING}{MAIN}\n{leaking(number)}" for number in (1, 2, 3)]
    found = Dumps([decode([text.encode()]) for text in texts])
    alike = Dumps([dump(leaking(number)) for number in (1, 2, 3)])

    assert Verdict.PROBABLE in {each.verdict for each in judge(alike, group(alike))}
    assert {each.verdict for each in judge(found, group(found))} == {Verdict.PARKED}

    path = tmp_path / "service.log"
    path.write_text("\n".join(texts))
    report = gocost.goroutines(path)
    assert any("a process that ended with it" in note.text for note in report.notes)
    assert {*report.tables["changes"].column("came")} == {None}
