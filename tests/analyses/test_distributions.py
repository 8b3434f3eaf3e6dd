"""The table of distributions beside what can be asked here: Debian's list, and this machine."""

from __future__ import annotations

import csv
import platform
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from gocost.analyses.distributions import (
    DISTRIBUTIONS,
    DISTROLESS,
    Distribution,
    oldest_kernel,
    version,
)

LISTS = Path("/usr/share/distro-info")


def family(name: str) -> list[Distribution]:
    return [part for part in DISTRIBUTIONS if part.family == name]


@pytest.mark.parametrize("name", ["Debian", "Ubuntu"])
def test_releases_came_out_when_the_distributions_list_says(name: str) -> None:
    path = LISTS / f"{name.lower()}.csv"
    if not path.is_file():
        pytest.skip("needs the dates of releases: apt-get install distro-info-data")
    with path.open(newline="") as file:
        listed = {
            row["version"].removesuffix(" LTS"): row["release"] for row in csv.DictReader(file)
        }

    known = [part for part in family(name) if part.release in listed]  # all but the newest
    assert len(known) >= 6
    for part in known:
        assert listed[part.release].startswith(part.released), part.name


def test_the_release_that_this_machine_runs_has_the_glibc_of_the_table() -> None:
    here = platform.freedesktop_os_release()
    rows = {part.name: part for part in DISTRIBUTIONS}
    name = f"{here['NAME'].split()[0]} {here.get('VERSION_ID', '')}"
    if name not in rows:
        pytest.skip(f"needs a distribution of the table, and this is {name}")

    assert version(platform.libc_ver()[1]) == rows[name].glibc


def test_newer_releases_of_a_family_have_nothing_older() -> None:
    for name, parts in groupby(DISTRIBUTIONS, key=lambda part: part.family):
        rows = list(parts)
        assert len(family(name)) == len(rows), f"{name} stands in two places"
        for older, newer in pairwise(rows):
            assert older.glibc <= newer.glibc, newer.name
            assert older.kernel <= newer.kernel, newer.name


def test_distroless_images_have_the_glibc_of_the_debian_that_they_are_made_of() -> None:
    rows = {part.release: part.glibc for part in family("Debian")}

    assert dict(DISTROLESS) == {f"deb{release}": rows[release] for release in ("12", "13")}


@pytest.mark.parametrize(
    ("minor", "kernel"),
    [(16, "2.6.23"), (18, "2.6.23"), (19, "2.6.32"), (23, "2.6.32"), (24, "3.2")],
)
def test_the_oldest_kernels_are_those_of_the_go_wiki(minor: int, kernel: str) -> None:
    assert oldest_kernel(minor) == version(kernel)
