"""Prints a saved report in another form: one measurement in CI, as many formats as it wants.

gocost check --save report.json
python -m gocost.reporters report.json --format sarif -o gocost.sarif
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path, PurePosixPath

import msgspec

from gocost.model.errors import GocostError, UsageError
from gocost.model.report import Layout, Report
from gocost.reporters.identity import place
from gocost.reporters.interface import Settings
from gocost.reporters.registry import NAMES, reporter


def main(arguments: list[str]) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gocost.reporters", description=__doc__)
    parser.add_argument("report", help="what --save or --format json wrote")
    parser.add_argument("--format", choices=NAMES, default="text")
    parser.add_argument("-o", "--output", help="write to this file instead of stdout")
    parser.add_argument("--top", type=int, help="rows of a table before one row for the rest")
    parser.add_argument(
        "--prefix",
        default="",
        metavar="FOLDER",
        help="the folder of the repository that the paths in the report are relative to",
    )
    chosen = parser.parse_args(arguments)
    try:
        report = placed(load(Path(chosen.report)), chosen.prefix)
        text = render(report, chosen.format, Settings(top=chosen.top))
        _write(text, chosen.output)
    except GocostError as error:
        print(f"gocost: {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0


def load(path: Path) -> Report:
    """The saved report. Raises UsageError where the file is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="write it with --save REPORT.json"
        ) from error
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{path} is not a report of this gocost: {error}", hint="write it with --save"
        ) from error


def placed(report: Report, prefix: str) -> Report:
    """The report with its findings' paths relative to the repository instead of the folder."""
    folder = PurePosixPath(prefix.replace("\\", "/"))
    if folder == PurePosixPath("."):
        return report
    findings = []
    for finding in report.findings:
        where = place(finding)
        moved = msgspec.structs.replace(where, path=str(folder / where.path))
        findings.append(msgspec.structs.replace(finding, location=moved))
    return msgspec.structs.replace(report, findings=findings)


def render(report: Report, format_: str, settings: Settings) -> str:
    """A saved report in that format."""
    # How a person would like to see it is not saved. A verdict needs no facts, and of the tables
    # those with its money.
    costs = tuple(name for name in report.tables if name.rpartition(".")[2] == "costs")
    layout = Layout(facts=(), tables=costs) if report.findings else Layout()
    stream = io.StringIO()
    reporter(format_).render(msgspec.structs.replace(report, layout=layout), stream, settings)
    return stream.getvalue()


def _write(text: str, output: str | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}", hint="name another file with -o"
        ) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
