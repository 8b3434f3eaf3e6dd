"""Profiles that are merged, and compared with a base, add up as pprof adds them up."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.analyses.profile.peer import compared
from tests.analyses.profile.test_rows_as_pprof import named
from tests.fixtures.legacy_profiles import LEGACY
from tests.fixtures.profiles import KINDS, recorded, shared

OPTIONS: list[dict[str, Any]] = [
    {},
    {"granularity": "lines"},
    {"granularity": "addresses"},
    {"sample_index": "0"},
    {"focus": "json|grow"},
    {"tagroot": "tenant"},
    {"mean": True},
    {"hide": "runtime", "relative_percentages": True},
]
OTHERS = ["anon.in.pprof", "avg.in.pprof", "heapage.in.pprof", "json.in.pprof",
          "labelframes.in.pprof", "large.cpu.pb.gz"]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=named)
@pytest.mark.parametrize("kind", KINDS)
def test_two_of_a_kind(kind: str, options: dict[str, Any]) -> None:
    before, after = (recorded() / f"{kind}.{number}.pb.gz" for number in (0, 1))
    assert compared([before, after], options) >= 0
    for of_base in (False, True):
        for normalize in (False, True):
            compared([after], options, base=before, of_base=of_base, normalize=normalize)
    compared([before], options, base=after)


def test_three_and_the_same_twice() -> None:
    folder = recorded()
    heaps = [folder / f"{name}.pb.gz" for name in ("heap.0", "heap.1", "allocs.1")]
    assert compared(heaps) > 0
    assert compared([heaps[0]] * 3, base=heaps[1], of_base=True) > 0
    # A profile less itself is nothing.
    assert compared([heaps[0]], base=heaps[0]) == 0
    assert compared([heaps[0]], base=heaps[0], of_base=True) == 0


def test_text_and_protobuf_of_the_same_are_of_other_code() -> None:
    folder = recorded()
    for kind in ("goroutine", "mutex", "heap"):
        text, protobuf = folder / f"{kind}.1.txt", folder / f"{kind}.1.pb.gz"
        compared([text, protobuf])
        compared([text], base=protobuf)
        compared([text], base=text)


@pytest.mark.parametrize(("one", "other"), list(pairwise([*KINDS, KINDS[0]])))
def test_two_kinds(one: str, other: str) -> None:
    files = [recorded() / f"{kind}.0.pb.gz" for kind in (one, other)]
    compared(files)
    compared(files[:1], base=files[1])
    compared(files[:1], base=files[1], normalize=True)


@pytest.mark.parametrize(("one", "other"), [("heap", "heap-v2"), ("growth", "heap-v2"),
                                            ("mutex", "contentionz"), ("java-heap", "heap"),
                                            ("java-contention", "mutex"),
                                            ("heapprofile", "fragmentation")])  # fmt: skip
def test_legacy_ones(one: str, other: str, tmp_path: Any) -> None:
    files = [tmp_path / "one", tmp_path / "other"]
    for file, name in zip(files, (one, other), strict=True):
        file.write_bytes(LEGACY[name])
    for options in ({}, {"granularity": "addresses"}):
        compared(files, options)
        compared(files[:1], options, base=files[1], of_base=True)


@pytest.mark.parametrize(("one", "other"), list(pairwise([*OTHERS, OTHERS[0]])))
def test_profiles_of_others(one: str, other: str) -> None:
    files = [shared(name) for name in (one, other)]
    compared(files)
    compared(files[1:], base=files[0], of_base=True)


@pytest.mark.parametrize("name", ["anon", "avg", "heapage", "labelframes", "json"])
def test_profiles_of_others_that_were_changed(name: str) -> None:
    before, after = (shared(f"{name}.{which}.pprof") for which in ("in", "out"))
    for of_base in (False, True):
        compared([after], base=before, of_base=of_base)
        compared([after], base=before, of_base=of_base, normalize=True)
