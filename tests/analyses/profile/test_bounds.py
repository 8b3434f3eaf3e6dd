"""Sums that pass 64 bits are refused, and never wrap into a smaller or a negative cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.formats.pprof.building import built
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Header, ValueType
from gocost.model.errors import FormatError

VALUES = {"large": [1 << 61, 1 << 60], "opposite": [1 << 60, 1 - (1 << 60)]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, values in VALUES.items():
        stacks = [[("main.f", "main.go", line)] for line in range(len(values))]
        header = Header((ValueType("cpu", "nanoseconds"),))
        (tmp_path / name).write_bytes(encode(built(header, stacks, [(value,) for value in values])))
    return tmp_path


@pytest.mark.parametrize("name", VALUES)
def test_alone_they_are_exact(name: str, folder: Path) -> None:
    total = gocost.profile(str(folder / name)).fact("profile.total")

    assert total is not None
    assert total.value == sum(VALUES[name])


@pytest.mark.parametrize(
    ("files", "options"),
    [
        (["large", "large"], {}),
        (["large"], {"base": ["large"]}),
        (["large"], {"diff_base": ["large"]}),
        # Scaled to the base's total: it is 1, as its values nearly cancel out.
        (["opposite"], {"base": ["large"], "normalize": True}),
    ],
    ids=str,
)
def test_together_they_are_refused(files: list[str], options: dict[str, Any], folder: Path) -> None:
    given = {
        name: [str(folder / each) for each in value] if isinstance(value, list) else value
        for name, value in options.items()
    }

    with pytest.raises(FormatError, match="more than 64 bits hold; it is damaged") as refused:
        gocost.profile(*(str(folder / each) for each in files), **given)

    assert str(refused.value).startswith(str(folder / files[0]))
