"""The walk over type descriptors, on type data of every kind, compiled and interpreted."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from fuzz.small_types import MAPS, Image, small_types

from tests.kernels.conftest import LoadKernel

Order = Literal["little", "big"]
SHAPES: list[tuple[int, Order]] = [(8, "little"), (4, "little"), (8, "big")]


def walk(kernel: LoadKernel, image: Image, types: list[int], itabs: list[int]) -> Any:
    data = np.frombuffer(bytes(image.data), np.uint8)
    return kernel("type_data").walk_types(
        data,
        base=image.base,
        width=image.width,
        big=image.order == "big",
        short_names=image.short_names,
        types=np.array(types, np.int64),
        itabs=np.array(itabs, np.int64),
        seen=np.zeros((len(data) >> 3) + 1, np.uint8),
    )


def owner(image: Image, package: int) -> str:
    if package < 0:
        return {-1: "anonymous", -2: "predeclared", -3: "unknown"}[package]
    at = package + (3 if image.short_names else 2)
    length = image.data[package + (2 if image.short_names else 1)]
    return bytes(image.data[at : at + length]).decode()


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("maps", MAPS)
@pytest.mark.parametrize(("width", "order"), SHAPES)
def test_everything_is_found_with_its_owner(
    kernel: LoadKernel, width: int, order: Order, maps: str, short: bool
) -> None:
    image, roots, itabs = small_types(width, order, maps, short)
    start, end, package, _ = walk(kernel, image, roots, itabs)
    found = {
        (a, b): owner(image, p)
        for a, b, p in zip(start.tolist(), end.tolist(), package.tolist(), strict=True)
    }
    assert set(found) == {(a, b) for a, b, _ in image.parts}
    shared = {"Price"}  # a name that several owners use belongs to the first that was met
    for a, b, wanted in image.parts:
        if not any(name.encode() in image.data[a:b] for name in shared) and wanted != "anonymous":
            assert found[a, b] == wanted, bytes(image.data[a:b])


def test_what_only_code_refers_to_is_found_in_the_gaps(kernel: LoadKernel) -> None:
    image, _, _ = small_types()
    data = np.frombuffer(bytes(image.data), np.uint8)
    edges = np.array([0, len(data)], np.int64)
    found = kernel("type_data").find_types(
        data, edges[:1], edges[1:], width=8, big=False, short_names=False
    )
    assert set(image.types.values()) <= set(found.tolist())
    assert len(found) == len(image.types)


def test_descriptors_one_behind_the_other(kernel: LoadKernel) -> None:
    image = Image()
    at = [image.type(text, 23, "", size=24, fixed=image.words(0)) for text in ("[]a", "[]b")]
    data = np.frombuffer(bytes(image.data), np.uint8)
    # The second starts behind the first's end, its own name and what aligns it: not at once.
    found = kernel("type_data").follow_types(data, at[0], at[0] + 56, width=8, big=False)
    assert found.tolist() == at[:1]


@pytest.mark.parametrize("value", [0, 0xFF, 0x80, 0x7F])
def test_damaged_data_ends_and_stays_inside(kernel: LoadKernel, value: int) -> None:
    image, roots, itabs = small_types()
    for at in range(0, len(image.data), 37):
        hostile = Image(base=image.base)
        hostile.data = bytearray(image.data)
        hostile.data[at : at + 6] = bytes([value]) * len(hostile.data[at : at + 6])
        start, end, _, _ = walk(kernel, hostile, roots, itabs)
        assert (start >= 0).all()
        assert (end > start).all()
        assert (end <= len(hostile.data)).all()


def test_types_that_refer_to_each_other_end(kernel: LoadKernel) -> None:
    image = Image()
    first = image.type("*A", 22, "", fixed=image.words(0))
    second = image.type("*B", 22, "", fixed=image.words(image.base + first))
    image.data[first + 48 : first + 56] = image.words(image.base + second)
    start, _, package, what = walk(kernel, image, [first, -8, 1 << 40, 3], [-1, 1 << 60])
    assert sorted(start[what == 0].tolist()) == [first, second]
    assert (package < 0).all()
