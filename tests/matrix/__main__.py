"""Every toolchain, mode and platform: the sum, the coverage and the stripped twin, on real builds.

    python -m tests.matrix [--folder DIR] [--only go1.27] [--keep]

Fetches each toolchain as a Go module (200 to 400 MB each), builds the program `assets` in every
mode stripped and not, and checks that every byte is accounted for, that a stripped file's code is
attributed as its twin's within 0.5%, and that what stripping was said to save is what it saves.
Prints a table; exits 1 where a bar is missed. `make matrix` runs it; CI runs the newest and oldest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gocost.analyses.size.account import Account
from gocost.analyses.size.kinds import Kind
from gocost.analyses.size.stripping import savings
from gocost.analyses.size.tables import tables
from gocost.measures.binary import account_of, opened
from gocost.model.errors import GocostError
from tests.fixtures.binaries import PROGRAMS

TOOLCHAINS = (
    "go1.16.15", "go1.17.13", "go1.18.10", "go1.19.13", "go1.20.14", "go1.21.13", "go1.22.12",
    "go1.23.12", "go1.24.13", "go1.25.14", "go1.26.8", "go1.27.4",
)  # fmt: skip
FULL = ("go1.16.15", "go1.18.10", "go1.21.13", "go1.24.13", "go1.26.8", "go1.27.4")
"""One toolchain of each layout is built in every mode, the others as executable and PIE."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to build."""

    name: str
    env: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    linker: str = ""
    program: str = "assets"


def _cross(goos: str, goarch: str) -> tuple[tuple[str, str], ...]:
    return (("GOOS", goos), ("GOARCH", goarch))


SMALL = (Mode("exe"), Mode("pie", flags=("-buildmode=pie",)))
LARGE = (
    *SMALL,
    Mode("cgo", (("CGO_ENABLED", "1"),), program="cgo"),
    Mode("cgo-pie", (("CGO_ENABLED", "1"),), ("-buildmode=pie",), "-linkmode=external", "cgo"),
    Mode("c-shared", (("CGO_ENABLED", "1"),), ("-buildmode=c-shared",), program="cgo"),
    Mode("386", _cross("linux", "386")),
    Mode("arm64", _cross("linux", "arm64")),
    Mode("s390x", _cross("linux", "s390x")),
    Mode("windows", _cross("windows", "amd64")),
    Mode("darwin-arm64", _cross("darwin", "arm64")),
    Mode("darwin-amd64", _cross("darwin", "amd64")),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What one pair of files showed; `faults` are bars that were missed."""

    line: str
    faults: tuple[str, ...]


def main() -> int:
    """Builds and checks everything that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to build (default: a temporary one)")
    parser.add_argument("--only", action="append", default=[], help="toolchains that begin so")
    parser.add_argument("--keep", action="store_true", help="keep the files")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="gocost-matrix-"))
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [
        name
        for name in TOOLCHAINS
        if not options.only or any(name.startswith(word) for word in options.only)
    ]
    files = missed = 0
    print("| toolchain | mode | size | attributed | code | type data | twin | strip said |")
    print("|---|---|---|---|---|---|---|---|")
    try:
        for result in _results(folder, chosen):
            files += 2
            print(result.line, flush=True)
            for fault in result.faults:
                missed += 1
                print(f"MISSED: {fault}", flush=True)
    finally:
        if not options.keep and options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{files} files, {missed} bars missed")
    return 1 if missed or not files else 0


def _results(folder: Path, chosen: list[str]) -> Iterator[Result]:
    for toolchain in chosen:
        for mode in LARGE if toolchain in FULL else SMALL:
            pair = [folder / f"{toolchain}-{mode.name}{end}" for end in ("", "-stripped")]
            for path, linker in zip(pair, ("", "-s -w"), strict=True):
                said = build(path, toolchain, mode, linker)
                if said:
                    yield Result(f"| {toolchain} | {mode.name} |", (f"does not build: {said}",))
                    break
            else:
                yield check(toolchain, mode, *pair)


def build(path: Path, toolchain: str, mode: Mode, linker: str) -> str:
    """Builds one file; returns what the go command said where it failed."""
    if path.exists():
        return ""
    flags = list(mode.flags)
    if int(toolchain.split(".")[1]) >= 18:  # before, there is no VCS stamp and no flag for it
        flags.append("-buildvcs=false")
    words = f"{mode.linker} {linker}".strip()
    flags += [f"-ldflags={words}"] if words else []
    done = subprocess.run(
        ["go", "build", "-o", str(path), *flags, "."],
        cwd=PROGRAMS / mode.program,
        env={
            **os.environ,
            # An empty one would be the user's `go env -w`; old toolchains know few flags.
            "GOFLAGS": "-mod=mod",
            "GOWORK": "off",
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": toolchain,
            **dict(mode.env),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def check(toolchain: str, mode: Mode, whole: Path, stripped: Path) -> Result:
    """Holds a pair of files to the bars."""
    faults: list[str] = []
    name = f"{toolchain} {mode.name}"
    try:
        with opened(whole) as image:
            one, said = account_of(image), savings(image.image, image.info).both
            faults += _sums(f"{name}", one, whole)
        with opened(stripped) as image:
            two = account_of(image)
            faults += _sums(f"{name} stripped", two, stripped)
    except GocostError as error:
        return Result(f"| {toolchain} | {mode.name} |", (f"{name}: {error}",))
    codes = [_code(side) for side in (one, two)]
    off = sum(abs(codes[0].get(p, 0) - codes[1].get(p, 0)) for p in {**codes[0], **codes[1]})
    share = off / max(1, sum(codes[0].values()))
    if share > 0.005:
        faults.append(f"{name}: stripped code is attributed {share:.2%} differently")
    real = whole.stat().st_size - stripped.stat().st_size
    near = (said - real) / max(1, real)
    if abs(near) > 0.04:
        faults.append(f"{name}: stripping saves {real:,} bytes, {said:,} were said")
    explained, area = two.type_bytes
    matrix = two.ledger.by_package(len(two.packages.names))
    code = matrix[:, Kind.CODE]
    line = (
        f"| {toolchain} | {mode.name} | {one.size:,} / {two.size:,} "
        f"| {matrix[:-1].sum() / two.size:.1%} | {code[:-1].sum() / code.sum():.2%} "
        f"| {explained / max(1, area):.1%} | {share:.3%} | {near:+.2%} |"
    )
    return Result(line, tuple(faults))


def _sums(name: str, found: Account, path: Path) -> list[str]:
    size = path.stat().st_size
    faults = [f"{name}: {fault}" for fault in found.faults]
    made = tables(found)
    for table in ("kinds", "sections", "modules", "packages", "functions"):
        total = sum(map(int, made[table].column("bytes")))  # type: ignore[arg-type]
        if total != size:
            faults.append(f"{name}: {table} add up to {total:,} of {size:,} bytes")
    explained, area = found.type_bytes
    if explained < 0.97 * area:
        faults.append(f"{name}: {explained / max(1, area):.1%} of type data are explained")
    return faults


def _code(found: Account) -> dict[str, int]:
    column = found.ledger.by_package(len(found.packages.names))[:-1, Kind.CODE].tolist()
    return dict(zip(found.packages.names, column, strict=True))


if __name__ == "__main__":
    sys.exit(main())
