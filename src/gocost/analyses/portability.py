"""Where an executable runs, why not elsewhere, and what to change for that.

A program starts where the kernel finds its interpreter, the interpreter finds its libraries, and
those have the versions that it asks for. A static program needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gocost.analyses.distributions import (
    DISTRIBUTIONS,
    DISTROLESS,
    Distribution,
    Version,
    oldest_kernel,
)
from gocost.analyses.linkage import Libc, Linkage, Linked

STATIC_PIE = '-buildmode=pie -ldflags="-linkmode=external -extldflags=-static-pie"'
STATIC_C = '-ldflags="-linkmode=external -extldflags=-static"'
CERTIFICATES = "copy CA certificates in: it verifies TLS with crypto/x509"


class Runs(StrEnum):
    """Whether it starts on a platform."""

    YES = "yes"
    NO = "no"
    WITH_LIBRARIES = "with libraries"
    """After libraries that the platform does not bring have been installed."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One place to run: does it start there, why, and what to change where it does not."""

    name: str
    runs: Runs
    why: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """The oldest release of a distribution that it runs on, and the newest that is too old."""

    name: str
    oldest: Distribution | None
    too_old: Distribution | None


@dataclass(frozen=True, slots=True)
class Program:
    """What portability depends on besides the linkage."""

    linkage: Linkage
    goos: str
    go_minor: int | None
    """1.26 is 26; None where it is not known."""
    library: bool = False
    """A shared library, which another program has to load."""
    minimum_os: str = ""
    """What the container says: `macos 12.0`."""
    verifies_tls: bool = False


def platforms(program: Program) -> list[Platform]:
    """The platforms of the program's operating system, the barest first."""
    if program.goos != "linux":
        return [_other_system(program)]
    wants_gcc = any(part.provider == "gcc" for part in program.linkage.libraries)
    return [
        *(_bare(program, name) for name in ("scratch", "distroless static")),
        *(_distroless(program, "base", *row) for row in DISTROLESS),
        *(_distroless(program, "cc", *row) for row in DISTROLESS if wants_gcc),
        _alpine(program),
    ]


def families(program: Program) -> list[Family]:
    """Of each Linux distribution the oldest release whose kernel and C library will do."""
    if program.goos != "linux":
        return []
    names = dict.fromkeys(part.family for part in DISTRIBUTIONS)
    return [_family(program, name) for name in names]


def remedy(program: Program) -> str:
    """What to change so that it needs nothing where it runs, in a few words."""
    linkage = program.linkage
    if linkage.linked is not Linked.DYNAMIC:
        return ""
    if program.library:
        return "build a program, no library"
    if not linkage.libraries and linkage.cgo is not True:
        return "leave out -buildmode=pie"
    return "CGO_ENABLED=0" if linkage.cgo is False else "CGO_ENABLED=0, or static C libraries"


def commands(program: Program) -> str:
    """The same with what to type."""
    linkage = program.linkage
    if linkage.linked is not Linked.DYNAMIC or program.goos != "linux":
        return ""
    if program.library:
        return "to run anywhere: build a program (-buildmode=exe) instead of a shared library"
    if not linkage.libraries and linkage.cgo is not True:
        return f"to run anywhere: leave out -buildmode=pie, or link a static PIE: {STATIC_PIE}"
    return (
        "to run anywhere: build with CGO_ENABLED=0 where nothing needs C, "
        f"else link C statically: {STATIC_C}"
    )


def _bare(program: Program, name: str) -> Platform:
    """An image without any C library."""
    linkage = program.linkage
    if linkage.linked is not Linked.DYNAMIC:
        needs_certificates = program.verifies_tls and name == "scratch"
        why = "it needs no file besides itself"
        if linkage.static_glibc:
            why = (
                "it starts; looking up names or users loads glibc's libraries, which are not there"
            )
        return Platform(name, Runs.YES, why, CERTIFICATES if needs_certificates else "")
    missing = linkage.interpreter or ", ".join(part.name for part in linkage.libraries)
    return Platform(name, Runs.NO, f"there is no {missing or 'C library'}", remedy(program))


def _distroless(program: Program, kind: str, release: str, glibc: Version) -> Platform:
    """An image with glibc; `cc` has the compiler's libraries too."""
    linkage = program.linkage
    name = f"distroless {kind} {release}"
    has = f"it has glibc {_dotted(glibc)}"
    if linkage.linked is not Linked.DYNAMIC:
        return Platform(name, Runs.YES, "it needs no file besides itself")
    if linkage.libc not in (Libc.GLIBC, Libc.NONE):
        return Platform(name, Runs.NO, f"{has}, not {linkage.libc}", remedy(program))
    if linkage.glibc_version > glibc:
        change = f"build where glibc is {_dotted(glibc)} or older, or {remedy(program)}"
        return Platform(name, Runs.NO, f"{has}, {linkage.glibc} is needed", change)
    absent = [part.name for part in linkage.foreign]
    absent += [part.name for part in linkage.libraries if part.provider == "gcc" and kind != "cc"]
    if absent:
        change = "copy them into the image, or link them statically"
        if not linkage.foreign:
            change = "take distroless cc, or link it statically: -extldflags=-static-libgcc"
        return Platform(name, Runs.WITH_LIBRARIES, f"it has no {', '.join(absent)}", change)
    return Platform(name, Runs.YES, has)


def _alpine(program: Program) -> Platform:
    linkage = program.linkage
    if linkage.linked is not Linked.DYNAMIC:
        return Platform("Alpine", Runs.YES, "it needs no file besides itself")
    if linkage.libc is Libc.MUSL:
        absent = [part.name for part in linkage.libraries if part.provider != "musl"]
        if absent:
            why = f"it has no {', '.join(absent)}"
            return Platform("Alpine", Runs.WITH_LIBRARIES, why, "install them with apk")
        return Platform("Alpine", Runs.YES, "it has musl")
    missing = linkage.interpreter or "glibc"
    change = f"build on Alpine, or {remedy(program)}"
    return Platform("Alpine", Runs.NO, f"its C library is musl: there is no {missing}", change)


def _family(program: Program, name: str) -> Family:
    """Releases are judged one by one; newer ones of a family always have newer libraries."""
    releases = [part for part in DISTRIBUTIONS if part.family == name]
    fit = [part for part in releases if _fits(program, part)]
    oldest = fit[0] if fit else None
    before = releases[: releases.index(oldest)] if oldest else releases
    return Family(name, oldest, before[-1] if before else None)


def _fits(program: Program, release: Distribution) -> bool:
    if program.go_minor is not None and release.kernel < oldest_kernel(program.go_minor):
        return False
    linkage = program.linkage
    if linkage.linked is not Linked.DYNAMIC:
        return True
    return linkage.libc in (Libc.GLIBC, Libc.NONE) and release.glibc >= linkage.glibc_version


def _other_system(program: Program) -> Platform:
    linkage = program.linkage
    names = {"windows": "Windows", "darwin": "macOS"}
    name = names.get(program.goos, program.goos or "unknown")
    if program.goos == "windows" and program.go_minor is not None:
        name = (
            "Windows 10, Server 2016 or later"
            if program.go_minor >= 21
            else "Windows 7, Server 2008 R2 or later"
        )
    elif program.minimum_os.startswith("macos "):
        name = f"macOS {program.minimum_os.removeprefix('macos ')} or later"
    if linkage.foreign:
        absent = ", ".join(part.name for part in linkage.foreign)
        return Platform(name, Runs.WITH_LIBRARIES, f"{absent} has to be there", remedy(program))
    return Platform(name, Runs.YES, "it needs only what is part of the system")


def _dotted(number: Version) -> str:
    return ".".join(map(str, number))
