"""The varint kernel, compiled and interpreted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gocost.model.errors import FormatError
from tests.kernels.conftest import LoadKernel


def encode(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_round_trip(kernel: LoadKernel, values: list[int]) -> None:
    data = b"".join(map(encode, values))
    decoded, used = kernel("varint").decode_uvarints(np.frombuffer(data, np.uint8), len(values))
    assert decoded.tolist() == values
    assert used == len(data)


@pytest.mark.parametrize(
    ("data", "count", "offset"),
    [(b"", 1, 0), (b"\x01\x80", 2, 1), (b"\xff" * 10, 1, 0), (b"\x80" * 11 + b"\x00", 1, 0)],
)
def test_faults_name_their_offset(kernel: LoadKernel, data: bytes, count: int, offset: int) -> None:
    with pytest.raises(FormatError) as caught:
        kernel("varint").decode_uvarints(np.frombuffer(data, np.uint8), count)
    assert caught.value.offset == offset
