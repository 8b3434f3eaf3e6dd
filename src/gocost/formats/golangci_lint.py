"""golangci-lint's JSON report, of its versions 1 and 2.

One object: `Issues` (null where there are none), each with `FromLinter`, `Text`, `Severity` and
`Pos` {`Filename`, `Offset`, `Line`, `Column`}; `Report` tells of warnings and the linters that ran.
The two versions differ in what follows the object: version 2 may print a summary in words after it.
Specified by the program's own types (pkg/result/issue.go and pkg/printers/json.go).
"""

from __future__ import annotations

from typing import Final

import msgspec

from gocost.model.errors import FormatError

MAX_BYTES: Final = 64 << 20
MAX_ISSUES: Final = 200_000

TYPECHECK: Final = "typecheck"
"""The linter that reports code which does not compile; its findings are no findings."""


class _Position(msgspec.Struct, frozen=True, rename="pascal"):
    filename: str = ""
    line: int = 0
    column: int = 0


class _Issue(msgspec.Struct, frozen=True, rename="pascal"):
    from_linter: str
    text: str
    pos: _Position = _Position()


class _Report(msgspec.Struct, frozen=True, rename="pascal"):
    issues: list[_Issue] | None = None


class Issue(msgspec.Struct, frozen=True, order=True):
    """One place that a linter complains of. `column` is 0 where it is not told."""

    path: str
    line: int
    column: int
    linter: str
    text: str


def decode(data: bytes) -> list[Issue]:
    """The issues, by path and line. Raises FormatError."""
    if len(data) > MAX_BYTES:
        raise FormatError(f"the report is larger than {MAX_BYTES >> 20} MiB")
    start = data.find(b"{")
    if start < 0 or data[:start].strip():
        raise FormatError("a golangci-lint report begins with {", offset=0)
    # A summary may follow on lines of its own; the report itself is one line.
    end = data.find(b"\n", start)
    body = data[start:] if end < 0 else data[start:end]
    try:
        report = msgspec.json.decode(body, type=_Report)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FormatError(f"this is not golangci-lint's JSON: {error}", offset=start) from error
    issues = report.issues or []
    if len(issues) > MAX_ISSUES:
        raise FormatError(f"more than {MAX_ISSUES:,} issues")
    return sorted(
        Issue(
            issue.pos.filename.replace("\\", "/"),
            max(0, issue.pos.line),
            max(0, issue.pos.column),
            issue.from_linter,
            " ".join(issue.text.split()),
        )
        for issue in issues
    )
