"""What is damaged in a binary is said in the account, and costs no more than it has to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gocost.analyses.size.account import Account
from gocost.analyses.size.account import account as account_by_structure
from gocost.analyses.size.kinds import Kind
from gocost.formats.buildinfo import read_buildinfo
from gocost.formats.executable import open_executable
from gocost.formats.pclntab_header import Located, locate
from tests.fixtures.binaries import PROGRAMS, Recipe, binary, built

Damage = Callable[[bytearray, Located], None]


def account(data: bytes) -> Account:
    image = open_executable(data)
    return account_by_structure(image, read_buildinfo(image), seed=1)


def damaged(damage: Damage) -> tuple[Account, Account]:
    """The account of a binary, and that of the same with something in its pclntab damaged."""
    whole = binary("linux-amd64").read_bytes()
    located = locate(open_executable(whole))
    assert located is not None
    data = bytearray(whole)
    damage(data, located)
    assert data != whole
    return account(whole), account(bytes(data))


def of_files(data: bytearray, located: Located) -> None:
    """Some files of compilation units lead behind the end of the file names."""
    start = located.offset + located.header.cutab
    for entry in range(5):
        data[start + 4 * entry : start + 4 * entry + 4] = (0x7FFFFFF0 + entry).to_bytes(4, "little")


def of_units(data: bytearray, located: Located) -> None:
    """The header says that there are no compilation units' files at all."""
    files = located.offset + 8 + 5 * 8
    data[files : files + 8] = located.header.cutab.to_bytes(8, "little")


@pytest.mark.parametrize("damage", [of_files, of_units])
def test_a_damaged_table_of_files_is_noted(damage: Damage) -> None:
    whole, found = damaged(damage)

    assert whole.faults == ()
    assert len(found.faults) == 1
    assert "entries of pclntab's table of files are damaged" in found.faults[0]
    assert found.size == found.ledger.total() == whole.size


def test_the_same_damage_costs_attribution_only() -> None:
    whole, found = damaged(of_units)

    owned = [
        side.ledger.by_package(len(side.packages.names))[:-1].sum(axis=0) for side in (whole, found)
    ]
    assert owned[1][Kind.PCLNTAB] < owned[0][Kind.PCLNTAB]
    # Packages of assembly alone are known by their files only.
    assert 0.99 * owned[0][Kind.CODE] < owned[1][Kind.CODE] < owned[0][Kind.CODE]
    assert whole.ledger.by_kind().tolist() == found.ledger.by_kind().tolist()


def test_a_file_that_nothing_uses_is_no_damage() -> None:
    def unused(data: bytearray, located: Located) -> None:
        start = located.offset + located.header.cutab
        count = (located.header.files - located.header.cutab) // 4
        offsets = np.frombuffer(bytes(data[start : start + 4 * count]), "<u4")
        used = int(np.flatnonzero(offsets != 0xFFFFFFFF)[-1])
        data[start + 4 * used : start + 4 * used + 4] = b"\xff" * 4

    assert damaged(unused)[1].faults == ()


def test_a_section_that_cannot_be_searched_for_embedded_files_is_noted() -> None:
    data = bytearray(built(Recipe(program="assets")).read_bytes())
    image = open_executable(bytes(data))
    whole = account(bytes(data))
    named = image.section(".rodata")
    assert named is not None
    # Its address, moved to where nothing is loaded.
    at = int.from_bytes(data[40:48], "little") + 64 * named.index + 16
    assert int.from_bytes(data[at : at + 8], "little") == named.address
    data[at : at + 8] = (1 << 40).to_bytes(8, "little")

    found = account(bytes(data))

    files = [path.name for path in (PROGRAMS / "assets" / "files").iterdir()]
    assert len(whole.embedded) == len(files)
    assert whole.faults == ()
    assert any(".rodata cannot be read as it is loaded" in fault for fault in found.faults)
    assert found.ledger.total() == len(data)
