"""A metrics page: the Prometheus text format and OpenMetrics text.

Specified in prometheus.io/docs/instrumenting/exposition_formats (version 0.0.4, and 1.0.0 with
quoted UTF-8 names) and in the OpenMetrics 1.0 specification:

    # HELP http_requests_total Requests served.
    # TYPE http_requests_total counter
    http_requests_total{method="post",code="200"} 1027 1395066363000

Timestamps are milliseconds in the first and seconds in the second; OpenMetrics ends in `# EOF`, so
that a page that was cut off shows; it has units, and exemplars (` # {trace_id="a"} 0.67`), which
are checked and dropped. The decoder is strict: what Prometheus would refuse to scrape is a
FormatError, and every count that a page could inflate has a cap. The one thing that it lets pass
against the specification is what every Go service says: two families of one name (see _comment).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from gocost.model.errors import FormatError


@dataclass(frozen=True, slots=True)
class Caps:
    """What a page may hold; a page with more is refused by the name of the cap."""

    bytes: int = 64 << 20
    samples: int = 1_000_000
    labels: int = 64
    """Labels of one sample."""
    value_bytes: int = 16 << 10
    """Length of one label's value."""
    name_bytes: int = 1 << 10


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a name with its labels, a value, and the time where the page gives one."""

    name: str
    labels: dict[str, str]
    value: float
    timestamp: float | None = None
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Family:
    """Samples under one TYPE. `samples` of a histogram are its _bucket, _sum and _count lines."""

    name: str
    type: str = "untyped"
    help: str = ""
    unit: str = ""
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """The families of a page by name, in its order."""

    families: dict[str, Family]

    def value(self, name: str, **labels: str) -> float | None:
        """The first sample of that name which has at least these labels, or None."""
        for sample in self.samples(name):
            if labels.items() <= sample.labels.items():
                return sample.value
        return None

    def samples(self, name: str) -> Iterator[Sample]:
        """The samples of that name (`x_bucket` stands in the family `x`)."""
        for candidate in _family_names(name):
            if candidate in self.families:
                yield from (s for s in self.families[candidate].samples if s.name == name)


TYPES: Final = frozenset({"counter", "gauge", "summary", "histogram", "untyped"})
OPENMETRICS_TYPES: Final = frozenset(
    {"counter", "gauge", "summary", "histogram", "unknown", "info", "stateset", "gaugehistogram"}
)
_SUFFIXES: Final = {
    "counter": ("_total", "_created"),
    "summary": ("_sum", "_count", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "info": ("_info",),
}
_ALL_SUFFIXES: Final = tuple(sorted({s for found in _SUFFIXES.values() for s in found}))

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_QUOTED = r'"((?:[^"\\\n]|\\[\\"n])*+)"'
_HEAD = re.compile(rf"({_NAME})?[ \t]*+(\{{)?")
_QUOTED_NAME = re.compile(rf"[ \t]*+{_QUOTED}[ \t]*+(?=[,}}])")
_LABEL = re.compile(
    rf"[ \t]*+(?:([a-zA-Z_][a-zA-Z0-9_]*+)|{_QUOTED})[ \t]*+=[ \t]*+{_QUOTED}[ \t]*+"
)
_TAIL = re.compile(r"[ \t]*+([^ \t#]++)(?:[ \t]++([^ \t#]++))?[ \t]*+( ?# ?\{.*)?")
_EXEMPLAR = re.compile(r" ?# ?\{")
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d{1,9})?|inf|infinity|nan)", re.IGNORECASE
)
_MILLISECONDS = re.compile(r"-?\d{1,18}")
_COMMENT = re.compile(rf"#[ \t]*+(HELP|TYPE|UNIT)[ \t]++(?:({_NAME})|{_QUOTED})(?:[ \t](.*))?")
_ESCAPE = re.compile(r"\\(.)")


def decode(
    data: bytes,
    *,
    openmetrics: bool | None = None,
    caps: Caps | None = None,
    only: str | tuple[str, ...] = "",
) -> Page:
    """The page. `openmetrics` None tells the two apart by the `# EOF` at the end.

    With `only`, families whose names begin otherwise are passed over unread: a page of 200,000
    samples (12 MiB) took 0.4 s instead of 9.5 s where only the Go collector's are wanted.

    Raises FormatError (offset of the line) for what is not such a page, or is more than `caps`.
    """
    caps = caps or Caps()
    if len(data) > caps.bytes:
        raise FormatError(f"the page is larger than {caps.bytes:,} bytes", offset=caps.bytes)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the page is not UTF-8", offset=error.start) from error
    ended = text == "# EOF\n" or text.endswith(("\n# EOF\n", "\n# EOF"))
    strict = ended if openmetrics is None else openmetrics
    if strict and not ended:
        raise FormatError("the page does not end in # EOF: it was cut off", offset=len(data))
    if text and not strict and not text.endswith("\n"):
        raise FormatError("the page's last line has no end: it was cut off", offset=len(data))
    return _Decoder(caps, openmetrics=strict, only=only).decode(text)


class _Decoder:
    """The state of one decoding: the families so far."""

    def __init__(self, caps: Caps, *, openmetrics: bool, only: str | tuple[str, ...]) -> None:
        self._caps = caps
        self._only = (only,) if isinstance(only, str) else only
        self._starts = (*self._only, "#")
        self._openmetrics = openmetrics
        self._families: dict[str, Family] = {}
        self._typed: set[str] = set()
        self._samples = 0
        self._offset = 0

    def decode(self, text: str) -> Page:
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        for number, line in enumerate(lines):
            if self._openmetrics and line == "# EOF" and number != len(lines) - 1:
                raise self._wrong("there are lines after # EOF")
            if line.startswith(self._starts):
                self._line(line if self._openmetrics else line.strip(" \t\r"))
            self._offset += len(line.encode()) + 1 if not line.isascii() else len(line) + 1
        return Page(self._families)

    def _line(self, line: str) -> None:
        if not line:
            if self._openmetrics:
                raise self._wrong("OpenMetrics has no empty lines")
        elif line.startswith("#"):
            self._comment(line)
        else:
            self._sample(line)

    def _comment(self, line: str) -> None:
        match = _COMMENT.fullmatch(line)
        if match is None:
            if re.match(r"#[ \t]*+TYPE[ \t]", line) or (self._openmetrics and line != "# EOF"):
                raise self._wrong("a comment line is malformed")
            return
        name = match[2] or self._unescaped(match[3])
        if not name.startswith(self._only):
            return
        self._check_name(name)
        rest = match[4] or ""
        family = self._families.get(name, Family(name))
        if match[1] == "HELP":
            family = replace(family, help=rest)
        elif match[1] == "UNIT":
            family = replace(family, unit=rest)
        else:
            type_ = rest.strip(" \t")
            if self._openmetrics and type_ == "counter" and family.type not in (type_, "untyped"):
                # Go's own collector has a gauge x and a counter x_total, and in OpenMetrics, where
                # the suffix is no part of a counter's name, client_golang calls both of them x.
                name = f"{name}_total"
                family = Family(name, help=family.help)
            family = replace(family, type=self._type(name, type_, family))
        self._families[name] = family

    def _type(self, name: str, type_: str, family: Family) -> str:
        if type_ not in (OPENMETRICS_TYPES if self._openmetrics else TYPES):
            raise self._wrong(f"there is no metric type {type_[:40]!r}")
        if name in self._typed:
            raise self._wrong(f"{name} has two TYPE lines")
        if family.samples:
            raise self._wrong(f"the TYPE of {name} comes after its samples")
        self._typed.add(name)
        return type_

    def _sample(self, line: str) -> None:
        head = _HEAD.match(line)
        assert head is not None, "the pattern matches the empty string"
        name, at = head[1] or "", head.end()
        labels: dict[str, str] = {}
        if head[2]:
            name, at = self._labels(line, at, name, labels)
        elif name and line[at - 1 : at] not in " \t":
            raise self._wrong("a sample has no value")
        if not name:
            raise self._wrong("a line is neither a comment nor a sample")
        self._check_name(name)
        tail = _TAIL.fullmatch(line, at)
        if tail is None or (tail[3] and not self._openmetrics):
            raise self._wrong(f"the value of {name[:80]} is malformed")
        if tail[3]:
            self._exemplar(tail[3])
        value = self._number(tail[1])
        timestamp = self._timestamp(tail[2]) if tail[2] else None
        self._samples += 1
        if self._samples > self._caps.samples:
            raise self._wrong(f"the page has more than {self._caps.samples:,} samples")
        self._family(name).samples.append(Sample(name, labels, value, timestamp))

    def _labels(self, line: str, at: int, name: str, labels: dict[str, str]) -> tuple[str, int]:
        """Reads `a="b",c="d"}` from `at`; a quoted string that leads is the metric's name."""
        if not name and (quoted := _QUOTED_NAME.match(line, at)):
            name, at = self._unescaped(quoted[1]), quoted.end()
            at += line[at] == ","
        while True:
            label = _LABEL.match(line, at)
            if label is None:
                break
            key = label[1] if label[1] is not None else self._unescaped(label[2])
            self._check_name(key)
            if key in labels:
                raise self._wrong(f"the label {key[:80]!r} stands twice on one sample")
            if len(labels) == self._caps.labels:
                raise self._wrong(f"a sample has more than {self._caps.labels} labels")
            if len(label[3]) > self._caps.value_bytes:
                raise self._wrong(f"a label is longer than {self._caps.value_bytes:,} bytes")
            labels[key] = self._unescaped(label[3])
            at = label.end()
            if line[at : at + 1] != ",":
                break
            at += 1
        while line[at : at + 1] in (" ", "\t"):
            at += 1
        if line[at : at + 1] != "}":
            raise self._wrong("the labels of a sample are malformed")
        return name, at + 1

    def _exemplar(self, text: str) -> None:
        start = _EXEMPLAR.match(text)
        assert start is not None, "the pattern of the tail ends in it"
        _, at = self._labels(text, start.end(), "exemplar", {})
        tail = _TAIL.fullmatch(text, at)
        if tail is None or tail[3]:
            raise self._wrong("an exemplar is malformed")
        for part in (tail[1], tail[2]):
            if part:
                self._number(part)

    def _family(self, name: str) -> Family:
        """The family that a sample belongs to: its own name, or less the suffix of a typed one."""
        for candidate in _family_names(name):
            family = self._families.get(candidate)
            if family is not None and (
                candidate == name or name[len(candidate) :] in _SUFFIXES.get(family.type, ())
            ):
                return family
        self._families[name] = Family(name, "unknown" if self._openmetrics else "untyped")
        return self._families[name]

    def _number(self, text: str) -> float:
        if _NUMBER.fullmatch(text) is None:
            raise self._wrong(f"{text[:40]!r} is not a number")
        return float(text)

    def _timestamp(self, text: str) -> float:
        if self._openmetrics:
            return self._number(text)
        if _MILLISECONDS.fullmatch(text) is None:
            raise self._wrong(f"{text[:40]!r} is not a time in milliseconds")
        return int(text) / 1000

    def _unescaped(self, text: str) -> str:
        return _ESCAPE.sub(lambda m: "\n" if m[1] == "n" else m[1], text) if "\\" in text else text

    def _check_name(self, name: str) -> None:
        if not name or len(name) > self._caps.name_bytes:
            raise self._wrong(
                f"a name is empty or longer than {self._caps.name_bytes:,} characters"
            )

    def _wrong(self, message: str) -> FormatError:
        return FormatError(f"metrics page: {message}", offset=self._offset)


def _family_names(name: str) -> Iterator[str]:
    yield name
    for suffix in _ALL_SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            yield name[: -len(suffix)]
