"""Equal parts of bytes get one number, whenever they come; compiled and interpreted."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.conftest import LoadKernel, compiled, interpreted
from tests.kernels.test_pprof import BOTH_FORMS

TEXTS = st.lists(st.binary(max_size=3) | st.binary(min_size=7, max_size=19), max_size=30)


@BOTH_FORMS
@given(st.lists(TEXTS, max_size=4), st.integers(0, (1 << 64) - 1))
def test_texts_that_come_in_several_calls(
    kernel: LoadKernel, calls: list[list[bytes]], seed: int
) -> None:
    interner = kernel("interning").Interner(seed)
    first: dict[bytes, int] = {}
    for texts in calls:
        sizes = np.array([len(text) for text in texts], np.int64)
        data = np.frombuffer(b"".join(texts) + b"\0", np.uint8)

        numbers = interner.add(data, np.cumsum(sizes) - sizes, sizes)

        assert numbers.tolist() == [first.setdefault(text, len(first)) for text in texts]
    assert len(interner) == len(first)
    assert interner.store.tobytes() == b"".join(first)
    assert np.diff(interner.ends, prepend=0).tolist() == [len(text) for text in first]


@BOTH_FORMS
@given(
    st.lists(
        st.lists(st.integers(-2, 2) | st.integers(-(1 << 63), (1 << 63) - 1), min_size=2,
                 max_size=2),
        max_size=12,
    ),
    st.integers(0, (1 << 64) - 1),
)  # fmt: skip
def test_rows_of_integers(kernel: LoadKernel, rows: list[list[int]], seed: int) -> None:
    interner = kernel("interning").Interner(seed)

    numbers = interner.add_rows(np.array(rows, np.int64).reshape(-1, 2))

    first: dict[tuple[int, ...], int] = {}
    assert numbers.tolist() == [first.setdefault(tuple(row), len(first)) for row in rows]
    assert interner.store.view(np.int64).reshape(-1, 2).tolist() == [list(row) for row in first]


@pytest.mark.parametrize(("start", "size"), [(-1, 1), (0, -1), (3, 2), (5, 0), (1, (1 << 63) - 1)])
def test_a_part_that_is_not_there(kernel: LoadKernel, start: int, size: int) -> None:
    interner = kernel("interning").Interner(1)
    # What is asked for decides how much room is made: none of it is touched before it is checked.
    data, starts, sizes = np.zeros(4, np.uint8), np.array([start]), np.array([size])
    with pytest.raises((IndexError, MemoryError, ValueError)):
        interner.add(data, starts, sizes)
    assert len(interner) == 0


def test_parts_that_differ_in_one_bit_or_in_length_differ(kernel: LoadKernel) -> None:
    # Each of the 32 bits of a word is looked at, also those that a product drops.
    texts = [bytes(8), bytes(9), bytes(7), *(
        (1 << bit).to_bytes(8, "little") for bit in range(64)
    )]  # fmt: skip
    sizes = np.array([len(text) for text in texts], np.int64)
    interner = kernel("interning").Interner(5)

    interner.add(np.frombuffer(b"".join(texts), np.uint8), np.cumsum(sizes) - sizes, sizes)

    assert len(interner) == len(texts)
    assert len(set(interner._hashes[: len(texts)].tolist())) == len(texts)


def _hashes(texts: list[bytes], seed: int, kernel: LoadKernel) -> list[int]:
    sizes = np.array([len(text) for text in texts], np.int64)
    interner = kernel("interning").Interner(seed)
    interner.add(np.frombuffer(b"".join(texts), np.uint8), np.cumsum(sizes) - sizes, sizes)
    found: list[int] = interner._hashes[: len(texts)].tolist()
    return found


def test_what_a_bit_changes_is_a_secret(kernel: LoadKernel) -> None:
    # Who knew it could choose a bit behind it that undoes it, and so parts that all meet.
    texts = [bytes(16), *((1 << bit).to_bytes(16, "little") for bit in range(128))]
    random = Random(20261127)
    seeds = [random.randrange(1 << 62) for _ in range(8)]
    changes = [[one ^ made[0] for one in made[1:]] for made in (
        _hashes(texts, seed, kernel) for seed in seeds
    )]  # fmt: skip
    for of_bit in zip(*changes, strict=True):
        assert len(set(of_bit)) == len(seeds)


def test_parts_cannot_be_chosen_to_meet(kernel: LoadKernel) -> None:
    # The highest bit of a word, and what it changed behind it before products were folded.
    pair = bytes(16), struct.pack("<4I", 1 << 31, 0, 1 << 31, 1 << 18)
    texts = [b"".join(pair[number >> k & 1] for k in range(6)) for number in range(64)]
    assert len(set(_hashes(texts, 0x1234567890ABCDE, kernel))) == len(texts)


def test_both_forms_hash_alike() -> None:
    data = np.frombuffer(bytes(range(200, 256)) + b"\xff" * 25 + bytes(30), np.uint8)
    starts = np.arange(0, 100, 3)
    sizes = starts % 11
    made = []
    for load in (compiled, interpreted):
        interner = load("interning").Interner((1 << 62) - 12345)
        interner.add(data, starts, sizes)
        made.append(interner._hashes[: len(interner)].tolist())
    assert made[0] == made[1]
    assert all(0 <= value < 1 << 62 for value in made[0])
