"""The account of real builds of every toolchain, mode and platform.

By default the newest and the oldest toolchain, where they are at hand; `make matrix` takes all,
which needs gigabytes of them. `python -m tests.matrix` prints the same as a table.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.binaries import toolchain_version
from tests.matrix.__main__ import Mode, build, check


def test_every_byte(
    tmp_path: Path, toolchain: str, mode: Mode, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--matrix", default=False):
        toolchain_version(toolchain)  # skips, by name, where it is not at hand
    whole, stripped = tmp_path / "whole", tmp_path / "stripped"
    for path, linker in ((whole, ""), (stripped, "-s -w")):
        assert build(path, toolchain, mode, linker) == ""
    assert check(toolchain, mode, whole, stripped).faults == ()
