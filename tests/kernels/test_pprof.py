"""Reading a profile's protobuf in columns, compiled and interpreted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gocost.model.errors import FormatError
from tests.fixtures.profiles import field, message, small, varint
from tests.kernels.conftest import LoadKernel

NUMBERS = st.one_of(
    st.integers(0, 300),
    st.sampled_from([127, 128, 16383, 16384, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]),
)
BOTH_FORMS = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def read(kernel: LoadKernel, data: bytes) -> dict[str, Any]:
    raw = np.frombuffer(data, np.uint8)
    module = kernel("pprof")
    parts = module.read_parts(raw, module.count_parts(raw))
    return {name: column.tolist() for name, column in parts.items()}


def test_a_profile_in_columns(kernel: LoadKernel) -> None:
    data = small()
    parts = read(kernel, data)
    assert parts["ends"] == [[2, 3], [1, 2], [1, 2]]
    assert parts["references"] == [1, 2, 2]
    assert parts["values"] == [10, 20]
    assert parts["labels"] == [[5, 7], [6, 0], [0, 4096], [0, 7]]
    assert parts["locations"] == [[1, 2], [1, 1], [0x400010, 0x400020], [0, 0]]
    assert parts["line_ends"] == [1, 2]
    assert parts["lines"] == [[1, 1], [7, 8], [0, 0]]
    assert parts["functions"] == [[1], [3], [3], [4], [6]]
    assert parts["mappings"] == [[1], [0x400000], [0x500000], [0], [8], [9], [1], [0], [0], [0]]
    texts = [data[at : at + size].decode() for at, size in zip(*parts["strings"], strict=True)]
    assert texts[:4] == ["", "cpu", "nanoseconds", "main.main"]
    numbers, wires, values, _ = parts["rest"]
    assert numbers == [1, 9, 10, 11, 12]
    assert wires == [2, 0, 0, 2, 0]
    assert values[1:3] == [1_700_000_000_000_000_000, 1_000_000_000]


def test_nothing_at_all(kernel: LoadKernel) -> None:
    assert all(not any(column) for column in read(kernel, b"").values())


def test_unknown_fields_are_skipped(kernel: LoadKernel) -> None:
    strange = varint(99 << 3 | 1) + bytes(8) + varint(16 << 3 | 5) + bytes(4) + field(1000, b"xyz")
    parts = read(kernel, strange + field(2, strange + field(2, 7)) + strange)
    assert parts["values"] == [7]
    assert parts["ends"] == [[0], [1], [0]]


@BOTH_FORMS
@given(
    st.lists(
        st.tuples(
            st.lists(NUMBERS, max_size=6), st.lists(NUMBERS, max_size=4), st.booleans(),
            st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=3),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_samples_read_back(
    kernel: LoadKernel, samples: list[tuple[list[int], list[int], bool, list[tuple[int, ...]]]]
) -> None:
    data = b""
    for references, values, packed, labels in samples:
        parts: list[tuple[int, int | bytes]] = [(3, message(*enumerate(tag, 1))) for tag in labels]
        for number, integers in ((1, references), (2, values)):
            if packed:
                parts.append((number, b"".join(map(varint, integers))))
            else:
                parts += [(number, integer) for integer in integers]
        data += field(2, message(*parts))

    parts_ = read(kernel, data)

    assert parts_["references"] == [one for sample in samples for one in sample[0]]
    assert parts_["values"] == [one for sample in samples for one in sample[1]]
    assert list(zip(*parts_["labels"], strict=True)) == [
        label for sample in samples for label in sample[3]
    ]
    for row, part in enumerate((0, 1, 3)):
        sizes = [len(sample[part]) for sample in samples]  # type: ignore[arg-type]
        assert parts_["ends"][row] == np.cumsum(sizes).tolist()


@BOTH_FORMS
@given(
    st.lists(
        st.tuples(
            st.tuples(NUMBERS, NUMBERS, NUMBERS, st.just(0), NUMBERS),
            st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=3),
        ),
        max_size=6,
    )
)
def test_locations_read_back(
    kernel: LoadKernel, locations: list[tuple[tuple[int, ...], list[tuple[int, ...]]]]
) -> None:
    data = b""
    for numbers, lines in locations:
        tags = [(4, message(*enumerate(line, 1))) for line in lines]
        own = [(number, value) for number, value in enumerate(numbers, 1) if number != 4]
        data += field(4, message(*tags, *own))

    parts = read(kernel, data)

    assert list(zip(*parts["locations"], strict=True)) == [
        (*numbers[:3], numbers[4]) for numbers, _ in locations
    ]
    assert list(zip(*parts["lines"], strict=True)) == [
        line for _, lines in locations for line in lines
    ]


def test_of_a_field_that_stands_twice_the_last_counts(kernel: LoadKernel) -> None:
    assert read(kernel, field(5, message((1, 3), (2, 1), (1, 4))))["functions"][0] == [4]
    assert read(kernel, field(5, message((2, 9))) + field(5, b""))["functions"][1] == [9, 0]


def test_of_the_tenth_byte_of_a_number_one_bit_counts(kernel: LoadKernel) -> None:
    data = field(2, message((2, b"\xff" * 9 + b"\x7f" + b"\x80" * 9 + b"\x02")))
    assert read(kernel, data)["values"] == [(1 << 64) - 1, 0]


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"\x80", 0),  # a number that does not end
        (b"\x80" * 11, 0),
        (field(7, 1) + b"\x80" * 10 + b"\x01", 2),
        (b"\x12\x05\x08\x01", 0),  # longer than what is left
        (varint(2 << 3 | 2) + varint((1 << 64) - 1), 0),
        (varint(2 << 3 | 2) + varint(1 << 60), 0),
        (b"\x13", 0),  # wire types 3, 4, 6 and 7
        (b"\x14", 0),
        (b"\x16", 0),
        (b"\x17", 0),
        (b"\x11" + bytes(7), 0),  # less than eight, and than four bytes
        (b"\x15" + bytes(3), 0),
        (field(2, 1), 0),  # a sample, and so on, that is a number
        (field(3, 1), 0),
        (field(4, 1), 0),
        (field(5, 1), 0),
        (field(6, 1), 0),
        (b"\x11" + bytes(8), 0),
        (field(2, varint(1 << 3 | 5) + bytes(4)), 2),  # references that are four bytes
        (field(2, varint(2 << 3 | 1) + bytes(8)), 2),
        (field(2, field(3, 1)), 2),
        (field(2, field(3, varint(1 << 3 | 5) + bytes(4))), 4),
        (field(2, field(1, b"\x01\x80")), 5),
        (field(2, field(2, b"\x80" * 11)), 4),
        (field(2, b"\x80"), 2),
        (field(4, field(4, 1)), 2),
        (field(4, field(1, b"x")), 2),
        (field(4, field(4, field(2, b"x"))), 4),
        (field(4, b"\x08"), 2),
        (field(3, field(7, b"x")), 2),
        (field(5, field(5, b"x")), 2),
    ],
)
def test_a_fault_says_where_it_is(kernel: LoadKernel, data: bytes, offset: int) -> None:
    with pytest.raises(FormatError) as caught:
        read(kernel, data)
    assert caught.value.offset == offset


def test_a_profile_cut_anywhere_is_read_or_refused(kernel: LoadKernel) -> None:
    whole = small()
    faults = [fault(kernel, whole[:size]) for size in range(len(whole))]
    refused = [offset for offset in faults if offset is not None]
    assert len(refused) > len(whole) // 2
    assert all(0 <= offset < len(whole) for offset in refused)


def fault(kernel: LoadKernel, data: bytes) -> int | None:
    """Where the kernel sees a fault, if it does."""
    try:
        read(kernel, data)
    except FormatError as error:
        return error.offset
    return None


def test_both_forms_refuse_columns_of_another_profile(kernel: LoadKernel) -> None:
    module = kernel("pprof")
    none = module.count_parts(np.zeros(0, np.uint8))
    with pytest.raises(IndexError):
        module.read_parts(np.frombuffer(small(), np.uint8), none)


@BOTH_FORMS
@given(
    st.lists(st.integers(0, 9) | st.integers(0, (1 << 64) - 1), max_size=12),
    st.lists(st.integers(-1, 7), max_size=8),
)
def test_rows_of_ids(kernel: LoadKernel, wanted: list[int], table: list[int]) -> None:
    rows, missing = kernel("pprof").look_up(np.array(wanted, np.uint64), np.array(table, np.int32))

    expected = [table[each] if each < len(table) else -1 for each in wanted]
    assert rows.tolist() == expected
    assert missing == (expected.index(-1) if -1 in expected else -1)
