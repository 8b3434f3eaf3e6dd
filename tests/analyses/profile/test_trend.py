"""Which sites grow: of a program one leaks, one fills up and one comes and goes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import gocost
from gocost.analyses.profile.trend import Verdict, noise_of, trend
from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.encoding import encode
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit
from gocost.sources.cache import locked
from tests.fixtures.binaries import CACHE, Recipe, built
from tests.fixtures.profiles import field, message, small


@pytest.fixture(scope="module")
def heaps() -> list[str]:
    """Ten heap profiles; a round leaks 32 blocks of 16 KiB."""
    program = built(Recipe(program="growing"))
    folder = CACHE / f"{program.name}.heaps"
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            fresh = folder.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            subprocess.run([program, fresh, "10"], check=True, timeout=60)
            fresh.rename(folder)
    return [str(path) for path in sorted(folder.glob("heap.*"))]


@pytest.mark.parametrize("count", [4, 6, 10])
def test_a_leak_a_plateau_and_noise(heaps: list[str], count: int) -> None:
    report = gocost.profile_trend(*heaps[:count])
    rows = {row[0]: row for row in report.tables["sites"].rows}
    assert rows["main.leak"][1] == "leak"
    assert rows["main.cache"][1] == "plateau"
    assert rows["main.passing"][1] == "noise"
    assert [row[1] for row in report.tables["sites"].rows].count("leak") == 1
    slope, low, high = rows["main.leak"][2:5]
    times = [decode(Path(path).read_bytes()).header.time_ns for path in heaps[:count]]
    true = 32 * (16 << 10) * (count - 1) / ((times[-1] - times[0]) / 1e9)
    assert 0.8 * low <= true <= 1.2 * high  # type: ignore[operator]  # rounds take unequal time
    assert slope == pytest.approx(true, rel=0.3)
    assert any("confidence of 92%" in note.text for note in report.notes) is (count == 4)


def test_order_does_not_matter(heaps: list[str]) -> None:
    forth, back = gocost.profile_trend(*heaps[:5]), gocost.profile_trend(*heaps[4::-1])
    assert forth.tables["sites"].rows == back.tables["sites"].rows


def test_what_only_ever_grows_is_judged_by_its_rate(heaps: list[str], tmp_path: Path) -> None:
    # A second apart each: how long a round took is the machine's, and would be in the rate.
    even = [tmp_path / Path(path).name for path in heaps]
    for at, (path, made) in enumerate(zip(heaps, even, strict=True)):
        found = decode(Path(path).read_bytes())
        header = replace(found.header, time_ns=10**18 + at * 10**9)
        made.write_bytes(encode(replace(found, header=header)))
    report = gocost.profile_trend(*even, sample_index="alloc_space")
    sites = report.tables["sites"]
    rows = {row[0]: row for row in sites.rows}
    # It allocates as much each round: the rate does not grow, though the sum does.
    assert rows["main.leak"][1] in ("noise", "plateau")
    assert {row[1] for row in sites.rows} <= {"rising", "noise", "plateau"}
    assert "leak" not in report.layout.title
    columns = {column.name: column.unit for column in sites.columns}
    assert columns["change"] == columns["first"] == columns["last"] == Unit.BYTES_PER_SECOND
    assert any("only ever grows" in note.text for note in report.notes)
    compared = gocost.profile(heaps[5], base=[heaps[0]], sample_index="alloc_space")
    (leak,) = [row for row in compared.tables["functions"].rows if row[0] == "main.leak"]
    assert leak[1] == pytest.approx(5 * 32 * (16 << 10), rel=0.2)
    assert any("shown is what came between" in note.text for note in compared.notes)


def series(
    folder: Path, kind: tuple[str, str], values: Sequence[int], seconds: int = 0
) -> list[str]:
    """A profile a minute of a site with these values of a kind, each over so many seconds."""
    paths = []
    for minute, value in enumerate(values):

        def change(
            fields: dict[str, list[bytes]], minute: int = minute, value: int = value
        ) -> None:
            of(fields, minute, ("/srv/pay", ""))
            fields["strings"][1:3] = [field(6, text) for text in kind]
            fields["samples"] = [field(2, message((1, 1), (2, value)))]
            fields["rest"] += [field(10, seconds * 10**9)]

        paths.append(folder / f"{minute}.pb")
        paths[-1].write_bytes(small(change))
    return [str(path) for path in paths]


@pytest.mark.parametrize(
    ("kind", "unit", "last"),
    [
        (("alloc_space", "bytes"), Unit.BYTES_PER_SECOND, 40e9),
        (("contentions", "count"), Unit.COUNT_PER_SECOND, 40e9),
        (("delay", "nanoseconds"), Unit.COUNT, 40.0),
    ],
)
def test_a_rate_that_grows_is_no_leak(
    tmp_path: Path, kind: tuple[str, str], unit: Unit, last: float
) -> None:
    # 10, 20, 30 and then 40 G a second, of whatever is counted.
    grown = [value * 600 * 10**9 for value in (0, 1, 3, 6, 10)]

    report = gocost.profile_trend(*series(tmp_path, kind, grown))

    (row,) = report.tables["sites"].rows
    assert row[:2] == ("main.main", "rising")
    assert row[6] == pytest.approx(last)
    # By 10 a minute, over four minutes.
    assert row[2] == pytest.approx(last)
    assert report.tables["sites"].columns[6].unit is unit
    assert report.layout.title.endswith(f"the rate of {kind[0]} rises at 1 site")


def test_a_counter_that_begins_anew_is_said_to(tmp_path: Path) -> None:
    paths = series(tmp_path, ("alloc_space", "bytes"), [10**6, 2 * 10**6, 10**5, 10**6])

    (told,) = [note.text for note in gocost.profile_trend(*paths).notes if "anew" in note.text]

    assert f"alloc_space of main.main is less in {paths[2]} than in {paths[1]}" in told


@pytest.mark.parametrize(
    ("kind", "seconds", "told"),
    [
        (("cpu", "nanoseconds"), 30, "counts CPU time in 30 s of its own, which has no trend"),
        (("cpu", "nanoseconds"), 0, "counts CPU time in a window of its own"),
        (("delay", "nanoseconds"), 30, "counts what came in 30 s of its own"),
        (("inuse_space", "bytes"), 30, "counts what came in 30 s of its own"),
    ],
)
def test_what_came_in_a_window_has_no_trend(
    tmp_path: Path, kind: tuple[str, str], seconds: int, told: str
) -> None:
    paths = series(tmp_path, kind, [10, 20, 30, 40], seconds)

    with pytest.raises(UsageError, match=told) as refused:
        gocost.profile_trend(*paths)

    compared = gocost.profile(paths[1], base=[paths[0]])
    assert not any("only ever grows" in note.text for note in compared.notes)
    assert "gocost profile top HEAD --base BASE" in refused.value.hint
    assert ("seconds=" in refused.value.hint) is (kind[0] != "cpu")


def test_too_little_to_say(heaps: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs 3 profiles or more"):
        gocost.profile_trend(*heaps[:2])
    with pytest.raises(UsageError, match="recorded at the same time"):
        gocost.profile_trend(heaps[0], heaps[1], heaps[1])
    with pytest.raises(UsageError, match="--relative-percentages does not change a trend"):
        gocost.profile_trend(*heaps[:3], relative_percentages=True)
    timeless = decode(Path(heaps[0]).read_bytes())
    path = tmp_path / "timeless.pb.gz"
    path.write_bytes(encode(replace(timeless, header=replace(timeless.header, time_ns=0))))
    with pytest.raises(UsageError, match="does not say when it was recorded"):
        gocost.profile_trend(*heaps[:3], str(path))


@pytest.mark.parametrize(
    ("programs", "told"),
    [
        ([("/srv/pay", ""), ("/srv/pay", ""), ("/opt/pay", "")], ""),
        ([("/srv/pay", "ab12"), ("/old/pay.1", "ab12"), ("", "")], ""),
        ([("/srv/pay", "ab12"), ("/srv/pay", "ab12"), ("/srv/pay", "cd34")],
         "0.pb of /srv/pay (build ab12), 2.pb of /srv/pay (build cd34)"),
        ([("/srv/pay", ""), ("/srv/orders", ""), ("/srv/pay", "")],
         "0.pb of /srv/pay, 1.pb of /srv/orders"),
    ],
)  # fmt: skip
def test_profiles_of_other_programs_are_said_to_be(
    programs: list[tuple[str, str]], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for minute, program in enumerate(programs):
        Path(f"{minute}.pb").write_bytes(small(partial(of, minute=minute, program=program)))
    notes = [note.text for note in gocost.profile_trend("0.pb", "1.pb", "2.pb").notes]
    said = [note for note in notes if "different programs" in note]
    assert len(said) == bool(told)
    assert told in "".join(said)


def of(fields: dict[str, list[bytes]], minute: int, program: tuple[str, str]) -> None:
    """A heap, as recorded at this minute of this program, of that build id."""
    fields["strings"][1:3] = [field(6, text) for text in ("inuse_space", "bytes")]
    fields["strings"][8:10] = [field(6, text) for text in program]
    fields["rest"][:2] = [field(9, (1_700_000_000 + 60 * minute) * 10**9)]


def test_growth_within_the_sampling_is_noise() -> None:
    times = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    values = [1e6, 1.1e6, 1.2e6, 1.3e6, 1.4e6, 1.5e6]
    rate = 512 << 10
    assert trend(times, values, noise_of(1.5e6, 100, rate)).verdict is Verdict.NOISE
    assert trend(times, values, noise_of(1.5e6, 100, 4096)).verdict is Verdict.LEAK
    assert trend(times, values, noise_of(1.5e6, 100, 4096), rates=True).verdict is Verdict.RISING
    assert noise_of(1.5e6, 1, rate) == pytest.approx(1.5e6)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0, 1e6, 0], Verdict.NOISE),
        ([0, 1e6, 1e6], Verdict.PLATEAU),
        ([0, 1e6, 1e6, 0, 1e6], Verdict.PLATEAU),
    ],
    ids=str,
)
def test_what_came_and_went_is_no_plateau(values: list[float], verdict: Verdict) -> None:
    times = [float(number) for number in range(len(values))]

    assert trend(times, values, noise=1e3).verdict is verdict
