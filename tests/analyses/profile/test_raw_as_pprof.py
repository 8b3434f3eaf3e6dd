"""`raw` says what pprof's `-raw` says: samples with labels, locations, mappings, header."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import gocost
from tests.fixtures.profiles import KINDS, recorded, run_pprof, shared

_SAMPLE = re.compile(r"((?: +-?\d+)+): ((?:\d+ )*)")
_LOCATION = re.compile(r" +(\d+): (0x[0-9a-f]+) (?:M=(\d+) )?(\[F\] )?(.*)")
_LINE = re.compile(r"(.*?) (\S*):(-?\d+):(-?\d+) s=(-?\d+)(?:\((.*)\))?")
_MAPPING = re.compile(r"(\d+): (\S+)/(\S+)/(\S+) (\S*) (\S*) (\S*)")
_WORDS = {"[FN]": "functions", "[FL]": "files", "[LN]": "lines", "[IN]": "inlined frames"}


def theirs(arguments: list[str], path: Path) -> dict[str, Any]:
    done = run_pprof("-raw", *arguments, path)
    assert done.returncode == 0, done.stderr
    head, _, rest = done.stdout.partition("Samples:\n")
    types, _, rest = rest.partition("\n")
    samples, _, rest = rest.partition("Locations\n")
    locations, _, mappings = rest.partition("Mappings\n")
    places: dict[str, list[Any]] = {}
    latest = ""
    for line in locations.splitlines():
        if (found := _LOCATION.fullmatch(line)) is not None:
            latest, text = found[1], found[5]
            places[latest] = [found[2], found[3] is not None, found[4] is not None]
        else:
            text = line.strip()
        if text:
            parts = _LINE.fullmatch(text)
            assert parts is not None, text
            places[latest].append((parts[1], parts[2], *map(int, parts.group(3, 4, 5)), parts[6]))
    stacks: list[Any] = []
    for line in samples.splitlines():
        if (found := _SAMPLE.fullmatch(line)) is not None:
            stack = [tuple(map(str, places[each])) for each in found[2].split()]
            stacks.append(([int(value) for value in found[1].split()], stack, []))
        else:
            stacks[-1][2].append(line.strip())
    return {
        "types": types.replace("[dflt]", "").split(),
        "period": re.findall(r"Period: (.*)", head),
        "samples": stacks,
        "mappings": [
            (*found.groups()[1:6], "".join(sorted(re.findall(r"\[..\]", found[7]))))
            for line in mappings.splitlines()
            if (found := _MAPPING.fullmatch(line.rstrip("\n"))) is not None
        ],
    }


def ours(path: Path, options: dict[str, Any]) -> dict[str, Any]:
    report = gocost.profile(str(path), view="raw", **options)
    tables = report.tables
    places: dict[Any, list[Any]] = {}
    for id_, address, mapping, folded, _, function, *rest in tables["locations"].rows:
        place = places.setdefault(id_, [address, mapping is not None, folded])
        if function is not None:
            file, line, column, start, system = rest
            place.append((function, file, *map(int, (line, column, start)), system))  # type: ignore[arg-type]
    count = len(tables["samples"].columns) - 2
    numeric = {"bytes"}  # as the profiles here have them
    samples: list[Any] = []
    for row in tables["samples"].rows:
        stack = [tuple(map(str, places[each])) for each in str(row[count]).split()]
        texts: dict[str, list[str]] = {}
        for word in re.findall(r"(\w+):(.*?)(?= \w+:|$)", str(row[count + 1])):
            texts.setdefault(word[0], []).append(word[1].split(" ")[0])
        said = [
            " ".join(
                f"{key}:[{' '.join(texts[key])}]"
                for key in sorted(texts)
                if (key in numeric) == is_number
            )
            for is_number in (False, True)
        ]
        samples.append((list(row[:count]), stack, [line for line in said if line]))
    marks = {word: mark for mark, word in _WORDS.items()}
    header = {str(row[0]): row[1] for row in tables["header"].rows}
    return {
        "types": [column.name for column in tables["samples"].columns[:count]],
        "period": [header["period"]],
        "samples": samples,
        "mappings": [
            (*row[1:6], "".join(sorted(marks[word] for word in str(row[6]).split(", ") if word)))
            for row in tables["mappings"].rows
        ],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_real_profiles(kind: str) -> None:
    path = recorded() / f"{kind}.1.pb.gz"
    mine, asked = ours(path, {}), theirs([], path)
    for name, value in asked.items():
        assert mine[name] == value, name
    assert asked["samples"]
    assert asked["mappings"]


def test_after_filters() -> None:
    path = recorded() / "cpu.1.pb.gz"
    for options in ({"focus": "json"}, {"hide": "runtime"}, {"tagfocus": "tenant-0"}):
        arguments = [f"-{name}={value}" for name, value in options.items()]
        mine, asked = ours(path, options), theirs(arguments, path)
        assert mine["samples"] == asked["samples"]
        assert asked["samples"]


def test_a_large_one() -> None:
    path = shared("large.cpu.pb.gz")
    assert ours(path, {})["samples"] == theirs([], path)["samples"]
