"""What Linux distributions bring: C library, kernel, and when they came out.

A dynamically linked program runs where the C library is at least as new as the one it was linked
against; a static one needs no C library, only a kernel that its Go release still supports. Dated
figures, so that a report can say what it was judged by.

Where they come from, looked up on AS_OF:

Debian, Ubuntu
    dates: the package distro-info-data (a test compares them); glibc: the source package `glibc`
    (Ubuntu 14.04: `eglibc`) in packages.debian.org and packages.ubuntu.com; kernel: the source
    package `linux` of the release
RHEL, Alma, Rocky
    glibc and kernel of 7 to 10: what the ubi images and Red Hat's list of kernel version strings
    have; glibc of 6: PEP 571 (manylinux2010 is CentOS 6)
Amazon Linux
    2 and 2023: Amazon's user guides; 1 is its last version, 2018.03, after `amzn1` packages (glibc
    2.17, as in those of 2016), dated by its number
SLES
    what the images of these service packs have; 16.0: its release announcement. Service packs that
    bring no newer glibc than the one before are left out
Fedora
    glibc of 38 to 44: packages.fedoraproject.org; dates and kernel of 44: its announcement

Not looked up again: glibc of Fedora 36 and 37, the kernels of Fedora up to 43 (Go asks for none so
new), and the months of RHEL, SLES up to 15 and Fedora up to 41, which decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "2026-11-26"
SOURCE = (
    "the distributions' release notes and package lists (glibc, kernel) and the Go wiki "
    "(oldest kernel)"
)

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """One release. `glibc` is empty where the C library is musl."""

    family: str
    release: str
    released: str
    """Year and month."""
    glibc: Version
    kernel: Version
    """The kernel it came out with; a container has its host's instead."""

    @property
    def name(self) -> str:
        """`Debian 12`."""
        return f"{self.family} {self.release}"


def _of(family: str, *rows: tuple[str, str, str, str]) -> tuple[Distribution, ...]:
    return tuple(
        Distribution(family, release, released, version(glibc), version(kernel))
        for release, released, glibc, kernel in rows
    )


def version(text: str) -> Version:
    """`2.34` as numbers that compare; parts that are no numbers end it."""
    parts: list[int] = []
    for part in text.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)


# Oldest first within a family.
DISTRIBUTIONS: tuple[Distribution, ...] = (
    *_of(
        "Debian",
        ("8", "2015-04", "2.19", "3.16"),
        ("9", "2017-06", "2.24", "4.9"),
        ("10", "2019-07", "2.28", "4.19"),
        ("11", "2021-08", "2.31", "5.10"),
        ("12", "2023-06", "2.36", "6.1"),
        ("13", "2025-08", "2.41", "6.12"),
    ),
    *_of(
        "Ubuntu",
        ("14.04", "2014-04", "2.19", "3.13"),
        ("16.04", "2016-04", "2.23", "4.4"),
        ("18.04", "2018-04", "2.27", "4.15"),
        ("20.04", "2020-04", "2.31", "5.4"),
        ("22.04", "2022-04", "2.35", "5.15"),
        ("24.04", "2024-04", "2.39", "6.8"),
        ("26.04", "2026-04", "2.43", "7.0"),
    ),
    *_of(
        "RHEL, Alma, Rocky",
        ("6", "2010-11", "2.12", "2.6.32"),
        ("7", "2014-06", "2.17", "3.10"),
        ("8", "2019-05", "2.28", "4.18"),
        ("9", "2022-05", "2.34", "5.14"),
        ("10", "2025-05", "2.39", "6.12"),
    ),
    *_of(
        "Amazon Linux",
        ("1 (2018.03)", "2018-03", "2.17", "4.14"),
        ("2", "2018-06", "2.26", "4.14"),
        ("2023", "2023-03", "2.34", "6.1"),
    ),
    *_of(
        "SLES",
        ("12 SP5", "2019-12", "2.22", "4.12"),
        ("15 SP1", "2019-06", "2.26", "4.12"),
        ("15 SP3", "2021-06", "2.31", "5.3"),
        ("15 SP6", "2024-06", "2.38", "6.4"),
        ("16.0", "2025-11", "2.40", "6.12"),
    ),
    *_of(
        "Fedora",
        ("36", "2022-05", "2.35", "5.17"),
        ("37", "2022-11", "2.36", "6.0"),
        ("38", "2023-04", "2.37", "6.2"),
        ("39", "2023-11", "2.38", "6.5"),
        ("40", "2024-04", "2.39", "6.8"),
        ("41", "2024-10", "2.40", "6.11"),
        ("42", "2025-04", "2.41", "6.14"),
        ("43", "2025-10", "2.42", "6.17"),
        ("44", "2026-04", "2.43", "6.19"),
    ),
)

# The glibc of distroless base and cc images, by the Debian release that they are made from.
DISTROLESS = (("deb12", version("2.36")), ("deb13", version("2.41")))

# Oldest kernel by the first Go minor release that asks for it (the Go wiki, "Go on Linux": 2.6.23
# up to Go 1.18, 2.6.32 up to Go 1.23, then 3.2).
_KERNELS = ((24, version("3.2")), (19, version("2.6.32")), (0, version("2.6.23")))


def oldest_kernel(go_minor: int) -> Version:
    """The oldest Linux kernel that programs of Go 1.`go_minor` run on."""
    return next(kernel for minor, kernel in _KERNELS if go_minor >= minor)
