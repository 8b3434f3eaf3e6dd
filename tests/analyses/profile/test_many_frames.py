"""A small file whose stacks are long: a location of many inlined calls, named many times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import gocost
from gocost.formats.pprof.building import built
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Header, ValueType
from gocost.model.errors import FormatError
from tests.fixtures.profiles import message, varint

MANY = 20_000


@pytest.fixture
def path(tmp_path: Path) -> str:
    """100 KB that come to 400 million frames."""
    names = ["", "samples", "count", "cpu", "nanoseconds", "main.f"]
    data = message((1, message((1, 1), (2, 2)))) + message((1, message((1, 3), (2, 4))))
    data += message((2, message((1, varint(1) * MANY), (2, varint(1) + varint(10**7)))))
    data += message((4, message((1, 1), *[(4, message((1, 1)))] * MANY)))
    data += message((5, message((1, 1), (2, 5))))
    data += b"".join(message((6, name)) for name in names) + message((10, 10**10), (12, 10**7))
    file = tmp_path / "cpu.pb"
    file.write_bytes(data)
    return str(file)


@pytest.mark.parametrize(
    "use",
    [
        lambda path: gocost.profile(path, view="flame"),
        lambda path: gocost.profile(path, view="traces"),
        lambda path: gocost.attribute(profiles=[path]),
        lambda path: gocost.query(path, sql="select count(*) from samples"),
    ],
)
def test_frames_have_a_cap_where_they_are_held(use: Callable[[str], object], path: str) -> None:
    with pytest.raises(FormatError, match="400,000,000 frames, over the cap of") as caught:
        use(path)
    assert caught.value.hint


def test_what_only_adds_up_has_none(path: str) -> None:
    assert gocost.profile(path).tables["functions"].column("cumulative") == [10**7]


@pytest.mark.parametrize(
    ("view", "told"), [("traces", "stacks come to"), ("flame", "frames' names")]
)
def test_text_has_a_cap_where_a_long_name_is_joined_often(
    view: str, told: str, tmp_path: Path
) -> None:
    long = "main." + "f" * 1_000_000
    stacks = [[(long, "main.go", 1), (f"main.g{i}", "main.go", 2)] for i in range(600)]
    header = Header((ValueType("cpu", "nanoseconds"),))
    file = tmp_path / "cpu.pb.gz"
    file.write_bytes(encode(built(header, stacks, [(1,)] * len(stacks))))
    assert file.stat().st_size < 100_000

    with pytest.raises(FormatError, match=told) as caught:
        gocost.profile(str(file), view=view)

    assert "--focus" in caught.value.hint
    assert len(gocost.profile(str(file)).tables["functions"].rows) == 601
