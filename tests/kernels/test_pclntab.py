"""The kernels of pclntab and InlTrees over small tables of every layout, in both forms."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Literal

import numpy as np
import pytest
from fuzz.small_pclntab import LAYOUTS, Function, Small, small_pclntab

from gocost.model.errors import FormatError
from tests.kernels.conftest import LoadKernel

Order = Literal["little", "big"]


def read(kernel: ModuleType, small: Small, data: bytes | None = None, **changed: Any) -> Any:
    """The kernel's columns for a small table, or for other bytes in its place."""
    raw = np.frombuffer(data if data is not None else small.data, np.uint8)
    arguments: dict[str, Any] = {
        "first": 0,
        "count": len(small.functions),
        "width": small.word,
        "entry_width": small.word,
        "header": small.record,
        "cu_at": small.word + 28,
        "quantum": small.quantum,
        "big": small.order == "big",
        "inline_data": 3,
        "data_width": small.width if small.version == "1.16" else 4,
        "region": 0x400000 + small.functab,
    }
    return kernel.read_functions(
        raw[small.functab : small.functab + small.functab_size],
        raw[small.pctab : small.functab],
        **{**arguments, **changed},
    )


@pytest.mark.parametrize(("version", "width", "order"), LAYOUTS)
def test_functions_are_as_written(
    kernel: LoadKernel, version: str, width: int, order: Order
) -> None:
    small = small_pclntab(version, width, order)
    module = kernel("pclntab")
    entries, _, columns, faults = read(module, small)
    assert faults == 0
    assert columns[module.SIZE].tolist() == [part.size for part in small.functions]
    assert columns[module.GAP].tolist() == [part.size + part.padding for part in small.functions]
    assert columns[module.CU].tolist() == [part.unit for part in small.functions]
    start = small.text if version == "1.16" else 0
    assert entries[0] == start
    assert (np.diff(entries) == columns[module.GAP][:-1]).all()
    names = small.data[small.names : small.cutab]
    told = [names[at:].split(b"\0", 1)[0].decode() for at in columns[module.NAME].tolist()]
    assert told == [part.name for part in small.functions]


@pytest.mark.parametrize(("version", "width", "order"), LAYOUTS)
def test_every_byte_of_the_tables_is_billed_once(
    kernel: LoadKernel, version: str, width: int, order: Order
) -> None:
    small = small_pclntab(version, width, order)
    module = kernel("pclntab")
    _, _, columns, _ = read(module, small)
    # The first byte of pctab is nobody's; of functab, the word that ends the pairs.
    assert columns[module.TABLES].sum() == small.functab - small.pctab - 1
    ends = small.word + -(small.word * (2 * len(small.functions) + 1)) % small.width
    assert columns[module.RECORD].sum() == small.functab_size - ends
    # Functions that share all their tables with an earlier one pay nothing for them.
    twins = small_pclntab(version, width, order, (Function("a.A", 16), Function("a.B", 16)))
    _, _, columns, _ = read(module, twins)
    assert columns[module.TABLES].tolist()[1] == 0


@pytest.mark.parametrize(("version", "width", "order"), LAYOUTS)
def test_inlined_calls(kernel: LoadKernel, version: str, width: int, order: Order) -> None:
    small = small_pclntab(version, width, order)
    module = kernel("pclntab")
    _, trees, columns, _ = read(module, small)
    if version == "1.16":
        base = small.text - 0x1000 + small.funcdata
        trees = np.where(trees > 0, trees - base, -1)
    tree = np.frombuffer(small.data, np.uint8)[small.funcdata :]
    entries = np.array([len(part.calls) for part in small.functions], np.int32)
    record, name_at = (16, 4) if version == "1.20" else (20, 12)
    outer, names, amounts, faults = kernel("inline_trees").read_inlined(
        np.frombuffer(small.data, np.uint8)[small.pctab : small.functab],
        tree,
        columns[module.INLINE_INDEX],
        trees,
        columns[module.SIZE],
        entries,
        record=record,
        name_at=name_at,
        quantum=small.quantum,
        big=order == "big",
    )
    assert faults == 0
    table = small.data[small.names : small.cutab]
    found = [
        (small.functions[of].name, table[name:].split(b"\0", 1)[0].decode(), size)
        for of, name, size in zip(outer.tolist(), names.tolist(), amounts.tolist(), strict=True)
    ]
    wanted = [(part.name, call.name, call.bytes) for part in small.functions for call in part.calls]
    assert found == wanted


@pytest.mark.parametrize(("version", "width", "order"), LAYOUTS)
def test_funcdata_belong_to_their_first_user(
    kernel: LoadKernel, version: str, width: int, order: Order
) -> None:
    small = small_pclntab(version, width, order)
    module = kernel("pclntab")
    _, _, columns, _ = read(module, small)
    funcs = np.frombuffer(small.data, np.uint8)[small.functab :][: small.functab_size]
    wide = version == "1.16"
    starts, owners = module.funcdata_owners(
        funcs,
        columns,
        width=width if wide else 4,
        big=order == "big",
        base=small.text - 0x1000 + small.funcdata if wide else 0,
        size=1 << 16,
    )
    record = 16 if version == "1.20" else 20
    assert starts.tolist() == [0, 2 * record]
    assert owners.tolist() == [0, 2]


def test_a_table_that_does_not_fit_is_refused(kernel: LoadKernel) -> None:
    small = small_pclntab()
    for count in (-1, 1 << 20, 1 << 60):
        with pytest.raises(FormatError):
            read(kernel("pclntab"), small, count=count)


def test_entries_that_go_backwards_lose_their_size(kernel: LoadKernel) -> None:
    small = small_pclntab()
    data = bytearray(small.data)
    at = small.functab + 2 * 8  # the third function's entry
    data[at : at + 4] = bytes(4)
    module = kernel("pclntab")
    _, _, columns, faults = read(module, small, bytes(data))
    assert faults
    assert columns[module.GAP][1] == 0
    assert columns[module.GAP].sum() <= sum(p.size + p.padding for p in small.functions)


def test_a_value_table_without_an_end_stops_at_the_function(kernel: LoadKernel) -> None:
    small = small_pclntab(functions=(Function("a.A", 64),))
    data = bytearray(small.data)
    room = (small.functab - small.pctab - 1) // 2
    data[small.pctab + 1 : small.pctab + 1 + 2 * room] = b"\x02\x01" * room
    module = kernel("pclntab")
    _, _, columns, _ = read(module, small, bytes(data))
    assert columns[module.SIZE][0] <= 64


def test_a_tree_that_everybody_shares_is_capped(kernel: LoadKernel) -> None:
    many = 5000
    with pytest.raises(FormatError, match="over the cap"):
        kernel("inline_trees").read_inlined(
            np.ones(64, np.uint8),
            np.zeros(160, np.uint8),
            np.ones(many, np.int32),
            np.zeros(many, np.int64),
            np.full(many, 100, np.int32),
            np.full(many, 10, np.int32),
            record=16,
            name_at=4,
            quantum=1,
            big=False,
        )
