"""Performance issues in the source, by golangci-lint where it is installed.

The linters are chosen here and the project's own configuration is left aside, so that the count
means the same in every repository and with both major versions of the program.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from gocost.formats.golangci_lint import TYPECHECK, Issue, decode
from gocost.measures.interface import Context, Measured, Target
from gocost.model.errors import SourceError
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Column, Note, Table
from gocost.sources import process
from gocost.sources.go_command import first_complaint, module_of

PROGRAM: Final = "golangci-lint"
METRIC: Final = "lint.performance.issues"
LINTERS: Final = ("bodyclose", "fatcontext", "noctx", "perfsprint", "prealloc")
"""The linters that the program's version 1 had as its preset `performance`."""
MISSING: Final = (
    "golangci-lint is not installed; `go install "
    "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@latest` would do"
)

_VERSION = re.compile(r"version v?(\d+)\.(\d+)\S*")


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """The issues of the service's module. Raises SourceError where the program fails."""
    program = shutil.which(PROGRAM)
    if program is None:
        return Measured(skipped={METRIC: MISSING})
    folder = module_of(target.directory, target.service.package)
    context.progress("linting")
    major, version = _version(program, folder)
    done = process.run(
        [program, *_arguments(major, context)],
        cwd=folder,
        env={**target.service.build.env, "PWD": str(folder)},
        timeout=context.remaining() if context.remaining() < 1e9 else None,
    )
    # Status 0 by --issues-exit-code; anything else is the program's own trouble.
    if not done.ok and not done.stdout.lstrip().startswith("{"):
        raise SourceError(
            f"golangci-lint failed: {first_complaint(done.stderr or done.stdout)}",
            hint=f"run `golangci-lint run` in {folder}",
        )
    issues = decode(done.stdout.encode())
    broken = [issue for issue in issues if issue.linter == TYPECHECK]
    if broken:
        raise SourceError(
            f"golangci-lint cannot load the module: {broken[0].text}",
            hint=f"run `go vet ./...` in {folder}; golangci-lint {version} may be too old for it",
        )
    if not done.ok:
        raise SourceError(
            f"golangci-lint ended with status {done.returncode}: {first_complaint(done.stderr)}",
            hint=f"run `golangci-lint run` in {folder}",
        )
    return _measured(issues, folder, target, version)


def _measured(issues: list[Issue], folder: Path, target: Target, version: str) -> Measured:
    origin = f"golangci-lint {version}: {', '.join(LINTERS)}"
    table = Table(
        title="Performance issues",
        columns=(
            Column("path", Unit.TEXT, "relative to the policy's folder"),
            Column("line", Unit.NUMBER, "from 1"),
            Column("column", Unit.NUMBER, "from 1; 0 where it is not known"),
            Column("linter", Unit.TEXT, "which one complains"),
            Column("text", Unit.TEXT, "of what"),
            Column("issues", Unit.COUNT, "one a row", additive=True),
        ),
        rows=[
            (
                _relative(folder / each.path, target),
                each.line,
                each.column,
                each.linter,
                each.text,
                1,
            )
            for each in issues
        ],
    )
    notes = []
    if any(issue.path.startswith("..") for issue in issues):
        notes.append(Note("info", "some performance issues lie outside the module's folder"))
    fact = Fact(METRIC, len(issues), Unit.COUNT, target.subject, origin=origin)
    return Measured(facts=[fact], tables={"lint": table}, notes=notes)


def _arguments(major: int, context: Context) -> list[str]:
    seconds = int(min(context.remaining(), 3600))
    shared = [
        "run",
        "--no-config",
        f"--enable={','.join(LINTERS)}",
        "--issues-exit-code=0",
        "--max-issues-per-linter=0",
        "--max-same-issues=0",
        f"--timeout={seconds}s",
    ]
    if major < 2:
        return [*shared, "--disable-all", "--out-format=json", "./..."]
    return [
        *shared,
        "--default=none",
        "--output.json.path=stdout",
        "--show-stats=false",
        "./...",
    ]


def _version(program: str, folder: Path) -> tuple[int, str]:
    done = process.run([program, "--version"], cwd=folder, timeout=30)
    match = _VERSION.search(done.stdout + done.stderr)
    if match is None:
        raise SourceError(
            f"{program} does not say its version", hint="is it the real golangci-lint?"
        )
    return int(match[1]), match[0].removeprefix("version ")


def _relative(path: Path, target: Target) -> str:
    return Path(os.path.relpath(path, target.directory.resolve())).as_posix()
