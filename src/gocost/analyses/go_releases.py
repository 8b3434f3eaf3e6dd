"""When Go's releases came out, and so which are still supported.

Go supports a release until there are two newer ones. The table is dated: what it does not know
(newer releases, development versions) is unknown, never supported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

AS_OF = "2026-11-23"
SOURCE = (
    "go.dev/doc/devel/release (1.16 to 1.25), the time of the golang.org/toolchain module version "
    "(1.26, 1.27)"
)
SUPPORTED = 2  # how many of the newest releases get fixes

# Minor version of Go 1 to the day of its first release.
RELEASES = {
    16: "2021-02-16",
    17: "2021-08-16",
    18: "2022-03-15",
    19: "2022-08-02",
    20: "2023-02-01",
    21: "2023-08-08",
    22: "2024-02-06",
    23: "2024-08-13",
    24: "2025-02-11",
    25: "2025-08-12",
    26: "2026-02-10",
    27: "2026-08-18",
}
# What a release version looks like; experiments and vendors' marks may follow.
_RELEASE = re.compile(r"go1\.(\d+)(?:\.\d+)?(?=$|[ \-+])")


@dataclass(frozen=True, slots=True)
class Support:
    """Whether a release is supported; None where that is not known, and why in words."""

    supported: bool | None
    why: str


def minor_of(go_version: str) -> int | None:
    """26 for `go1.26.8`; None for release candidates, development and foreign versions."""
    found = _RELEASE.match(go_version)
    return int(found[1]) if found else None


def support_of(go_version: str) -> Support:
    """Whether the release that this version belongs to was supported at the table's date."""
    minor = minor_of(go_version)
    if minor is None:
        return Support(None, f"{go_version} is no release: its support is not known")
    newest = max(RELEASES)
    if minor > newest:
        return Support(
            None, f"Go 1.{minor} is newer than the table of releases, which ends with 1.{newest}"
        )
    oldest = newest - SUPPORTED + 1
    window = f"Go 1.{oldest} and 1.{newest} were supported on {AS_OF}"
    if minor >= oldest:
        return Support(True, window)
    ended = RELEASES.get(minor + SUPPORTED)
    return Support(False, f"{window}; Go 1.{minor}'s support ended {ended or 'before 2021'}")
