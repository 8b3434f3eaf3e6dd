"""Rows written as JSON by the kernel are what the json module reads, compiled and interpreted."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernels.conftest import LoadKernel

OWNERS = (("std", "fmt"), ('odd"mod', "a\\b"), ("", "(code)"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, len(OWNERS) - 1),
            st.text(st.characters(codec="utf-8"), max_size=20),
            st.tuples(*(st.integers(0, 2**62) for _ in range(3))),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_rows_read_back(
    kernel: LoadKernel, rows: list[tuple[int, str, tuple[int, int, int], bool]]
) -> None:
    prefixes = [json.dumps(m).encode() + b"," + json.dumps(p).encode() + b"," for m, p in OWNERS]
    first, second = bytearray(b"\0"), bytearray(b"\0")
    start, length = [], []
    for _, name, _, elsewhere in rows:
        table = second if elsewhere else first
        raw = name.encode()
        start.append(-1 - len(table) if elsewhere else len(table))
        length.append(len(raw))
        table += raw
    text = kernel("json_rows").encode_rows(
        np.frombuffer(bytes(first), np.uint8),
        np.frombuffer(bytes(second), np.uint8),
        np.frombuffer(b"".join(prefixes), np.uint8),
        np.cumsum([0, *map(len, prefixes)]),
        np.array([row[0] for row in rows], np.int32),
        np.array(start, np.int64),
        np.array(length, np.int32),
        np.array([row[2] for row in rows], np.int64).reshape(-1, 3).T,
    )
    if text is None:  # nothing but escapes: the caller encodes it another way
        assert any(ord(c) < 32 for row in rows for c in row[1])
        return
    wanted = [[*OWNERS[of], name, *numbers] for of, name, numbers, _ in rows]
    assert json.loads(b"[" + text.tobytes() + b"]") == wanted


@pytest.mark.parametrize(
    ("start", "length", "ends"),
    [
        (3, 2, (0, 4)),
        (-5, 1, (0, 4)),
        (2**63 - 1, 1, (0, 4)),
        (-(2**63), 1, (0, 4)),
        (0, -1, (0, 4)),
        (0, 1, (0, 5)),
        (0, 1, (-1, 2)),
        (0, 1, (4, 0)),
    ],
)
def test_a_text_outside_its_table_is_not_read(
    kernel: LoadKernel, start: int, length: int, ends: tuple[int, int]
) -> None:
    table = np.frombuffer(b"name", np.uint8)

    text = kernel("json_rows").encode_rows(
        table,
        table,
        table,
        np.array(ends, np.int64),
        np.zeros(1, np.int32),
        np.array([start], np.int64),
        np.array([length], np.int32),
        np.ones((3, 1), np.int64),
    )

    assert text is None
