"""`--matrix`: every toolchain instead of the newest and the oldest that are at hand."""

from __future__ import annotations

import pytest

from tests.matrix.__main__ import FULL, LARGE, SMALL, TOOLCHAINS


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch of `make matrix`."""
    parser.addoption("--matrix", action="store_true", help="build with every toolchain")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A case a toolchain and mode."""
    if "toolchain" not in metafunc.fixturenames:
        return
    every = metafunc.config.getoption("--matrix", default=False)
    chosen = TOOLCHAINS if every else (TOOLCHAINS[0], TOOLCHAINS[-1])
    cases = [
        (name, mode) for name in chosen for mode in (LARGE if every and name in FULL else SMALL)
    ]
    metafunc.parametrize(
        ("toolchain", "mode"), cases, ids=[f"{name}-{mode.name}" for name, mode in cases]
    )
