"""Go's benchmark format: what is read, what is left out, and that benchstat reads the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.statistics.summary import median, mode
from gocost.formats import benchmark_text
from gocost.formats.benchmark_text import decode, tidy_unit, without_gomaxprocs
from gocost.model.errors import FormatError
from tests.fixtures.benchstat import printed

TEXT = b"""goos: linux
pkg: example.com/a
BenchmarkX/size=10-8   \t 100\t  1.5 ns/op\t 12.00 MB/s\t 16 B/op\t 1 allocs/op
BenchmarkX/size=10-8   \t 200\t  2.5 ns/op\t 14.00 MB/s\t 16 B/op\t 1 allocs/op
pkg: example.com/b
BenchmarkX/size=10-8   \t 100\t  7 ns/op\t 3 p99-ns
PASS
ok  \texample.com/b\t1.2s
"""


def values(data: bytes) -> dict[tuple[str, str, str], list[float]]:
    return {(s.package, s.name, s.unit): [*s.values] for s in decode(data).samples}


def test_results_are_gathered_by_package_name_and_unit_in_base_units() -> None:
    assert values(TEXT) == {
        ("example.com/a", "X/size=10-8", "sec/op"): [pytest.approx(1.5e-9), 2.5e-9],
        ("example.com/a", "X/size=10-8", "B/s"): [12e6, 14e6],
        ("example.com/a", "X/size=10-8", "B/op"): [16.0, 16.0],
        ("example.com/a", "X/size=10-8", "allocs/op"): [1.0, 1.0],
        ("example.com/b", "X/size=10-8", "sec/op"): [pytest.approx(7e-9)],
        ("example.com/b", "X/size=10-8", "p99-sec"): [pytest.approx(3e-9)],
    }


@pytest.mark.parametrize(
    ("unit", "tidied"),
    [
        ("ns/op", ("sec/op", 1e-9)),
        ("x-ns/op", ("x-sec/op", 1e-9)),
        ("op/ns", ("op/ns", 1.0)),
        ("MB/MB", ("B/MB", 1e6)),
        ("MB*MB/s", ("B*B/s", 1e12)),
        ("s/MB*ns", ("s/MB*sec", 1e-9)),
        ("nsec/op", ("nsec/op", 1.0)),
    ],
)
def test_units_are_made_base_units_in_the_numerator(unit: str, tidied: tuple[str, float]) -> None:
    found, factor = tidy_unit(unit)
    assert found == tidied[0]
    assert factor == pytest.approx(tidied[1])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("BenchmarkX-8 ", "no iteration count"),
        ("BenchmarkX-8 x 1 ns/op", "'x' is not an iteration count"),
        ("BenchmarkX-8 99999999999999999999 1 ns/op", "is not an iteration count"),
        ("BenchmarkX-8 1", "no measurements"),
        ("BenchmarkX-8 1 2", "'2' has no unit"),
        ("BenchmarkX-8 1 NaN ns/op", "'NaN' is not a measurement"),
        ("BenchmarkX-8 1 1e999 ns/op", "'1e999' is not a measurement"),
        ("BenchmarkX-8 1 1_000 ns/op", "'1_000' is not a measurement"),
        ("Unit", "no unit"),
        ("Unit x better", "'better' is not key=value"),
        ("BenchmarkX-8 1 2 " + "x" * 70_000, "longer than"),
    ],
)
def test_a_faulty_line_is_told_and_left_out(line: str, message: str) -> None:
    # given a text with one line that begins like a result and is none
    text = decode(TEXT + line.encode() + b"\n")
    # then its number and its fault are told, and everything else is read
    assert [fault.line for fault in text.faults] == [9]
    assert message in text.faults[0].message
    assert text.samples == decode(TEXT).samples


@pytest.mark.parametrize(
    "line", ["BenchmarkX-8", "BenchmarkX-8\r", "logged", "", "\x00", "Units: x"]
)
def test_other_lines_are_no_part_of_it(line: str) -> None:
    assert decode(TEXT + line.encode() + b"\n").fault_count == 0


def test_configuration_holds_until_it_is_set_again_or_taken_back() -> None:
    text = decode(
        b"a: 1\nkey:value\nKey: 2\nBenchmarkX 1 1 x\na:\nb:\t2 3\nBenchmarkX 1 1 x\nb:  \n"
        b"BenchmarkX 1 1 x\n"
    )
    assert [sample.config for sample in text.samples] == [(("a", "1"),), (("b", "2 3"),), ()]


def test_unit_lines_say_what_is_known_of_a_unit() -> None:
    text = decode(b"Unit ns/frame better=lower assume=exact\nUnit ns/frame better=higher\n")
    assert text.about("sec/frame", "better") == "lower"
    assert text.about("sec/frame", "assume") == "exact"
    assert text.about("x", "better") == ""
    assert "something else before" in text.faults[0].message


def test_gomaxprocs_is_taken_off_where_all_have_the_same() -> None:
    same = without_gomaxprocs(decode(b"BenchmarkA-8 1 1 x\nBenchmarkB/c-8 1 1 x\n"))
    assert [sample.name for sample in same.samples] == ["A", "B/c"]
    other = without_gomaxprocs(decode(b"BenchmarkA/size-10 1 1 x\nBenchmarkB 1 1 x\n"))
    assert [sample.name for sample in other.samples] == ["A/size-10", "B"]


@pytest.mark.parametrize(
    ("cap", "data"),
    [
        ("MOST_BYTES", b"x" * 101),
        ("MOST_SAMPLES", b"".join(b"BenchmarkX%d 1 1 x\n" % i for i in range(101))),
        ("MOST_KEYS", b"".join(b"k%d: 1\n" % i for i in range(101))),
        ("MOST_KEYS", b"".join(b"Unit x k%d=1\n" % i for i in range(101))),
    ],
)
def test_a_text_above_a_limit_is_refused(
    cap: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_text, cap, 100)
    with pytest.raises(FormatError, match="more than"):
        decode(data)


@given(st.binary(max_size=300) | st.text("Benchmark-8 1.e+\n\tns/opUnit:=", max_size=300))
def test_anything_can_be_read(data: bytes | str) -> None:
    text = decode(data.encode() if isinstance(data, str) else data)
    assert all(len(sample.values) for sample in text.samples)


def test_benchstat_reads_the_same_figures(tmp_path: Path) -> None:
    # given the corpus of the fuzz harness, hostile lines included
    folder = Path(__file__).parents[2] / "fuzz" / "corpus" / "benchmark_text"
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        (tmp_path / "in.txt").write_bytes(data)
        # when benchstat prints its medians, unit by unit
        theirs = {
            (name, unit): float(cells[0])
            for (_, name, unit), cells in printed(tmp_path / "in.txt").items()
            if name != "geomean" and cells[0] not in ("NaN", "+Inf")
        }
        # then ours hold the same benchmarks with the same figures; 0x1p3 and 1e999 we do not take
        text = decode(data)
        ours = {(s.name, s.unit): sorted(s.values) for s in text.samples if s.name}
        mine = ("Broken-8", "sec/op")
        assert {key for key in theirs if key not in ours} <= {mine}
        for key, values in ours.items():
            exact = text.about(key[1], "assume") == "exact"
            middle = mode(values) if exact else median(values)
            assert key == mine or middle.value == pytest.approx(theirs[key], rel=1e-12)
