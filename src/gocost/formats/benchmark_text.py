"""Go's benchmark format: what `go test -bench` prints and benchstat reads.

Specified by golang.org/design/14313-benchmark-format and the reader golang.org/x/perf/benchfmt:

    goos: linux                              configuration: `key: value`, in force until set again
    pkg: example.com/shop/cart
    Unit ns/frame better=lower               what is known of a unit: better=, assume=exact
    BenchmarkAdd/items=10-8  1000  52.3 ns/op  16 B/op  1 allocs/op

A result line is the name (with sub-benchmarks after slashes and `-GOMAXPROCS` last), an iteration
count, and pairs of value and unit. The same name again is one more sample. Every other line (test
output, PASS, garbage) is no part of it. Times and rates are given in base units (`ns/op` becomes
`sec/op`, `MB/s` becomes `B/s`), as benchstat does.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from gocost.model.errors import FormatError

MOST_BYTES: Final = 64 << 20
"""The largest text that is read; recorded benchmarks have a few MiB."""
MOST_SAMPLES: Final = 200_000
"""Different (configuration, benchmark, unit) in one text."""
MOST_KEYS: Final = 100
"""Configuration keys in force at one time, and things said of units."""
LONGEST_LINE: Final = 1 << 16
"""A longer line is a fault, as it is for benchfmt."""
LARGEST: Final = 1e100
"""A larger figure measures nothing, and differences of such overflow."""
MOST_FAULTS: Final = 100
"""Faults that are kept word for word; the rest are only counted."""

Config = tuple[tuple[str, str], ...]
_Series = dict[str, tuple[str, "array[float]", float]]
"""By unit as written: the unit in base units, the values, what to multiply by."""

_PREFIX: Final = "Benchmark"
_SEPARATORS: Final = re.compile(r"([*/\-\s]+)")
_GOMAXPROCS: Final = re.compile(r"-[0-9]+\Z")
_COUNT: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_KEY: Final = re.compile(r"([^:\s]+):(.*)", re.DOTALL)
_USUAL: Final = {
    "ns/op": ("sec/op", 1e-9),
    "B/op": ("B/op", 1.0),
    "allocs/op": ("allocs/op", 1.0),
    "MB/s": ("B/s", 1e6),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """All values of one unit of one benchmark under one configuration, in order."""

    config: Config
    """Sorted by key: goos, goarch, pkg, cpu and whatever else the file sets."""
    name: str
    """Without `Benchmark`, with sub-benchmarks and GOMAXPROCS: `Add/items=10-8`."""
    unit: str
    """In base units: sec/op, B/op, allocs/op, B/s, or as the benchmark reported it."""
    values: array[float]
    """Finite, in double precision."""

    @property
    def package(self) -> str:
        """The import path, where the text names it."""
        return dict(self.config).get("pkg", "")


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that begins like a result or a unit and is not one. `line` counts from 1."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class BenchmarkText:
    """What a text of benchmark results holds."""

    samples: tuple[Sample, ...]
    """By configuration and benchmark, each in order of first appearance."""
    units: dict[tuple[str, str], str]
    """What `Unit` lines say, by (unit in base units, key)."""
    faults: tuple[Fault, ...]
    fault_count: int

    def about(self, unit: str, key: str) -> str:
        """What the text says of a unit (`better`, `assume`), or an empty string."""
        return self.units.get((unit, key), "")


def decode(data: bytes) -> BenchmarkText:
    """Reads a whole text (UTF-8, wrong bytes replaced).

    Faulty lines are left out and told, as benchstat does. Raises FormatError only for a text above
    one of the limits here.
    """
    if len(data) > MOST_BYTES:
        raise FormatError(
            f"more than {MOST_BYTES >> 20} MiB of benchmark results",
            offset=MOST_BYTES,
            hint="split the file by package",
        )
    reader = _Reader()
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        reader.read(line, number)
    return reader.result()


def without_gomaxprocs(text: BenchmarkText) -> BenchmarkText:
    """The text with `-8` taken off all names, where all have the same one.

    Only then is it certainly GOMAXPROCS and not the end of a name.
    """
    ends = {match[0] if (match := _GOMAXPROCS.search(s.name)) else "" for s in text.samples}
    if len(ends) != 1:
        return text
    (end,) = ends
    samples = tuple(replace(s, name=s.name.removesuffix(end)) for s in text.samples)
    return replace(text, samples=samples)


def tidy_unit(unit: str) -> tuple[str, float]:
    """A unit in base units, and what to multiply its values by.

    `ns` becomes `sec` and `MB` becomes `B` wherever they stand in a numerator.
    """
    usual = _USUAL.get(unit)
    if usual is not None:
        return usual
    if "ns" not in unit and "MB" not in unit:
        return unit, 1.0
    factor, below, parts = 1.0, False, []
    for part in _SEPARATORS.split(unit):
        if _SEPARATORS.fullmatch(part):
            # Of several signs in a row the last one counts; a hyphen changes nothing.
            signs = [sign for sign in part if sign in "*/"]
            below = signs[-1] == "/" if signs else below
        elif part == "ns" and not below:
            part, factor = "sec", factor / 1e9
        elif part == "MB" and not below:
            part, factor = "B", factor * 1e6
        parts.append(part)
    if not 1e-30 < factor < 1e30:
        return unit, 1.0  # MB*MB*MB*MB*MB*MB measures nothing, and its values would overflow
    return "".join(parts), factor


class _Reader:
    """The state between lines: configuration in force, samples and faults so far."""

    def __init__(self) -> None:
        self._config: dict[str, str] = {}
        self._samples: dict[Config, dict[str, _Series]] = {}
        self._current: dict[str, _Series] | None = None
        self._count = 0
        self._units: dict[tuple[str, str], str] = {}
        self._faults: list[Fault] = []
        self._fault_count = 0

    def read(self, line: str, number: int) -> None:
        """Take in one line; `number` counts from 1."""
        if len(line) > LONGEST_LINE:
            if line.startswith(_PREFIX):
                self._fault(number, f"the line is longer than {LONGEST_LINE} characters")
        elif line.startswith(_PREFIX):
            fault = self._benchmark(line)
            if fault:
                self._fault(number, fault)
        elif line.startswith("Unit") and (fields := line.split())[0] == "Unit":
            for fault in self._unit(fields[1:]):
                self._fault(number, fault)
        elif line[:1].islower():
            self._configuration(line)

    def result(self) -> BenchmarkText:
        """What was read."""
        samples = tuple(
            Sample(config, name, unit, values)
            for config, benchmarks in self._samples.items()
            for name, series in benchmarks.items()
            for unit, values in {tidied: values for tidied, values, _ in series.values()}.items()
        )
        return BenchmarkText(samples, self._units, tuple(self._faults), self._fault_count)

    def _benchmark(self, line: str) -> str:
        """Take in a result; returns what is wrong with it, or an empty string."""
        fields = line.split()
        if len(fields) == 1:
            # `go test -v` announces a benchmark by its bare name.
            return "" if line.strip("\r") == fields[0] else "no iteration count after the name"
        if not _COUNT.fullmatch(fields[1]):
            return f"{_shown(fields[1])} is not an iteration count"
        if len(fields) == 2:
            return "no measurements after the iteration count"
        if len(fields) % 2:
            return f"{_shown(fields[-1])} has no unit"
        try:
            values = [float(text) for text in fields[2::2]]
            plain = line.isascii() and "_" not in line
        except ValueError:
            plain = False
        if not plain or not all(-LARGEST < value < LARGEST for value in values):
            # One of them is no measurement, or the line needs a closer look.
            for text in fields[2::2]:
                if not _is_measurement(text):
                    return f"{_shown(text)} is not a measurement"
        series = self._series(fields[0][len(_PREFIX) :])
        for unit, value in zip(fields[3::2], values, strict=True):
            found = series.get(unit)
            if found is None:
                found = self._new_sample(series, unit)
            found[1].append(value * found[2])
        return ""

    def _series(self, name: str) -> _Series:
        """What is known of a benchmark under the configuration in force."""
        if self._current is None:
            config = tuple(sorted(self._config.items()))
            self._current = self._samples.setdefault(config, {})
        return self._current.setdefault(name, {})

    def _new_sample(self, series: _Series, unit: str) -> tuple[str, array[float], float]:
        tidied, factor = tidy_unit(unit)
        # `ns/op` and `sec/op` are one unit, and have one list of values.
        known = [values for name, values, _ in series.values() if name == tidied]
        if not known:
            self._count += 1
            if self._count > MOST_SAMPLES:
                raise _too_many(MOST_SAMPLES, "different benchmarks and units")
        if len(series) > MOST_KEYS:
            raise _too_many(MOST_KEYS, "units of one benchmark")
        series[unit] = (tidied, known[0] if known else array("d"), factor)
        return series[unit]

    def _unit(self, fields: list[str]) -> Iterable[str]:
        """Take in what a `Unit` line says; yields what is wrong with it."""
        if not fields:
            yield "no unit after `Unit`"
            return
        unit, _ = tidy_unit(fields[0])
        for field in fields[1:]:
            key, equals, value = field.partition("=")
            if not key or not equals:
                yield f"{_shown(field)} is not key=value"
            elif len(self._units) >= MOST_KEYS:
                raise _too_many(MOST_KEYS, "things said of units")
            elif self._units.setdefault((unit, key), value) != value:
                yield f"{_shown(key)} of {_shown(unit)} was set to something else before"

    def _configuration(self, line: str) -> None:
        """Take in `key: value`; anything else is not ours. A key without a value is taken back."""
        match = _KEY.match(line.rstrip("\r"))
        if match is None or any(letter.isupper() for letter in match[1]):
            return
        value = match[2].lstrip(" \t")
        if match[2] and value == match[2]:
            return  # `key:value`, without a space between, is not configuration
        if value:
            self._config[match[1]] = value
            if len(self._config) > MOST_KEYS:
                raise _too_many(MOST_KEYS, "configuration keys")
        else:
            self._config.pop(match[1], None)
        self._current = None

    def _fault(self, number: int, message: str) -> None:
        self._fault_count += 1
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(Fault(number, message))


def _is_measurement(text: str) -> bool:
    """Whether it is a finite number in Go's spelling; `1_000` and other scripts' digits are not."""
    try:
        value = float(text)
    except ValueError:
        return False
    return -LARGEST < value < LARGEST and "_" not in text and text.isascii()


def _too_many(most: int, what: str) -> FormatError:
    return FormatError(f"more than {most:,} {what}", hint="split the file by package")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
