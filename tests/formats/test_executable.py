"""The executable readers against LIEF, readelf and `go tool nm`, on real Go binaries."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import lief
import numpy as np
import pytest

from gocost.formats.executable import (
    Executable,
    Extent,
    Section,
    SymbolKind,
    open_executable,
)
from gocost.model.errors import FormatError
from gocost.sources.files import mapped
from tests.fixtures.binaries import RECIPES, RELEASES, binary

EVERY = [*RECIPES, *RELEASES]


def opened(name: str) -> Executable:
    return open_executable(binary(name).read_bytes())


@pytest.mark.parametrize("name", EVERY)
def test_sections_and_segments_are_those_that_lief_sees(name: str) -> None:
    path = binary(name)
    image = open_executable(path.read_bytes())

    oracle = lief.parse(str(path))

    assert oracle is not None
    if isinstance(oracle, lief.ELF.Binary):
        expected = [
            (part.name, part.offset, part.virtual_address, part.size)
            for part in oracle.sections
            if part.type != lief.ELF.Section.TYPE.NOBITS
        ]
        found = [
            (part.name, part.offset, part.address, part.size_in_file)
            for part in image.sections
            if part.kind != "nobits"
        ]
        assert found == expected
        assert [
            (part.offset, part.size_in_file, part.address, part.size_in_memory)
            for part in image.segments
        ] == [
            (part.file_offset, part.physical_size, part.virtual_address, part.virtual_size)
            for part in oracle.segments
        ]
    elif isinstance(oracle, lief.PE.Binary):
        base = oracle.optional_header.imagebase
        assert [
            (part.offset, part.size_in_file, part.address, part.size_in_memory)
            for part in image.sections
        ] == [
            (part.offset, part.sizeof_raw_data, base + part.virtual_address, part.virtual_size)
            for part in oracle.sections
        ]
        assert list(image.dynamic.needed) == [part.name for part in oracle.imports]
    else:
        assert isinstance(oracle, lief.MachO.Binary)
        assert [(part.name, part.segment, part.address) for part in image.sections] == [
            (part.name, part.segment_name, part.virtual_address) for part in oracle.sections
        ]
        assert list(image.dynamic.needed) == [part.name for part in oracle.libraries]
    assert image.entry in (oracle.entrypoint, oracle.entrypoint + image.image_base)


@pytest.mark.parametrize(
    ("name", "container", "machine", "goos", "kind", "pointer_size", "order"),
    [
        ("linux-amd64", "elf", "amd64", "linux", "exec", 8, "little"),
        ("linux-amd64-pie", "elf", "amd64", "linux", "pie", 8, "little"),
        ("linux-amd64-static-pie", "elf", "amd64", "linux", "pie", 8, "little"),
        ("linux-amd64-c-shared", "elf", "amd64", "linux", "shared", 8, "little"),
        ("linux-386", "elf", "386", "linux", "exec", 4, "little"),
        ("linux-arm64", "elf", "arm64", "linux", "exec", 8, "little"),
        ("linux-s390x", "elf", "s390x", "linux", "exec", 8, "big"),
        ("freebsd-amd64", "elf", "amd64", "freebsd", "exec", 8, "little"),
        ("windows-amd64", "pe", "amd64", "windows", "pie", 8, "little"),
        ("windows-386", "pe", "386", "windows", "pie", 4, "little"),
        ("darwin-arm64", "macho", "arm64", "darwin", "pie", 8, "little"),
        ("darwin-amd64", "macho", "amd64", "darwin", "pie", 8, "little"),
    ],
)
def test_what_the_headers_say(
    name: str, container: str, machine: str, goos: str, kind: str, pointer_size: int, order: str
) -> None:
    image = opened(name)

    assert (image.container, image.machine, image.goos) == (container, machine, goos)
    assert (image.kind, image.pointer_size, image.byte_order) == (kind, pointer_size, order)


@pytest.mark.parametrize("name", [name for name in RECIPES if "stripped" not in name])
def test_symbols_are_those_of_go_tool_nm(name: str) -> None:
    path = binary(name)
    expected = go_tool_nm(path)

    symbols = open_executable(path.read_bytes()).symbols()

    rows = zip(symbols.address, symbols.size, symbols.names(), symbols.section, strict=True)
    found = {(int(at), int(size), name) for at, size, name, section in rows if section >= 0}
    if path.name.startswith("hello-linux") or "freebsd" in path.name:
        assert found == expected
    # PE and Mach-O record no sizes: the go command runs the last symbol of a section on into the
    # next section, and here it ends with its own.
    last = {(at, name) for at, _, name in found ^ expected}
    assert len(expected) > 1000
    assert len(last) <= 40
    assert {(at, name) for at, _, name in expected} <= {(at, name) for at, _, name in found}


def go_tool_nm(path: Path) -> set[tuple[int, int, str]]:
    text = subprocess.run(
        ["go", "tool", "nm", "-size", str(path)], capture_output=True, text=True, check=True
    ).stdout
    rows = re.findall(r"^ *([0-9a-f]+) +(-?\d+) [TtRrDdBb] (.+)$", text, re.MULTILINE)
    return {(int(at, 16), int(size), name) for at, size, name in rows}


def test_functions_and_data_are_told_apart() -> None:
    symbols = opened("linux-amd64").symbols()

    kinds = dict(zip(symbols.names(), symbols.kind.tolist(), strict=True))

    assert kinds["main.main"] == SymbolKind.FUNCTION
    assert kinds["main.table"] == SymbolKind.OBJECT


def test_names_of_chosen_symbols_only() -> None:
    symbols = opened("linux-amd64").symbols()
    every = symbols.names()
    wanted = np.array([7, 3, 100])

    assert symbols.names(wanted) == [every[at] for at in wanted]
    assert symbols.name_lengths(wanted).tolist() == [len(every[at]) for at in wanted]


@pytest.mark.parametrize(
    "name", ["linux-amd64", "linux-amd64-pie", "linux-amd64-cgo", "linux-amd64-c-shared"]
)
def test_needs_are_those_of_readelf(name: str) -> None:
    if shutil.which("readelf") is None:
        pytest.skip("needs readelf: apt-get install binutils")
    path = binary(name)
    text = subprocess.run(
        ["readelf", "-W", "-d", "-V", "-l", str(path)], capture_output=True, text=True, check=True
    ).stdout

    dynamic = open_executable(path.read_bytes()).dynamic

    assert list(dynamic.needed) == re.findall(r"\(NEEDED\).*\[(.+)\]", text)
    assert [need.version for need in dynamic.version_needs] == re.findall(
        r"Name: (\S+) +Flags", text
    )
    interpreter = re.findall(r"program interpreter: (.+)\]", text)
    assert [dynamic.interpreter] == (interpreter or [""])
    assert dynamic.pie_flag == (" PIE" in text)


def test_a_stripped_file_has_no_symbols() -> None:
    assert len(opened("linux-amd64-stripped").symbols()) == 0
    assert opened("linux-amd64-stripped").symbols().names() == []


@pytest.mark.parametrize("name", ["linux-amd64-pie", "linux-amd64-cgo-pie", "linux-amd64-c-shared"])
def test_pointers_of_a_pie_file_are_what_the_loader_makes_of_them(name: str) -> None:
    image = opened(name)
    symbols = image.symbols()
    at = dict(zip(symbols.names(), symbols.address.tolist(), strict=True))

    # The first field of moduledata points at pclntab's header.
    pointer = image.pointer_at(at["runtime.firstmoduledata"])

    assert pointer == at["runtime.pclntab"]
    assert at["runtime.firstmoduledata"] in image.relocated_pointers_to(pointer).tolist()
    assert image.pointers(at["runtime.firstmoduledata"], 3)[0] == pointer


def test_packed_relocations_leave_their_pointers_in_the_file() -> None:
    image = opened("linux-amd64-cgo-pie-relr")
    symbols = image.symbols()
    at = dict(zip(symbols.names(), symbols.address.tolist(), strict=True))

    assert image.section(".relr.dyn") is not None
    assert image.pointer_at(at["runtime.firstmoduledata"]) == at["runtime.pclntab"]


def test_addresses_map_to_the_bytes_of_the_file() -> None:
    path = binary("linux-amd64")
    image = opened("linux-amd64")
    text = image.section(".text")
    assert text is not None

    assert image.offset_of(text.address + 5) == text.offset + 5
    assert image.read(text.address, 16).tobytes() == path.read_bytes()[text.offset :][:16]
    bss = image.section(".noptrbss")
    assert bss is not None
    assert image.offset_of(bss.address + bss.size_in_memory - 1) is None
    with pytest.raises(FormatError):
        image.read(bss.address + bss.size_in_memory - 1, 8)


def test_opening_a_mapped_file_copies_nothing() -> None:
    with mapped(binary("linux-amd64")) as data:
        image = open_executable(data)

        assert not image.data.flags.owndata
        assert not image.data.flags.writeable
        assert image.size == len(data)
        del image


@pytest.mark.parametrize("name", EVERY)
def test_headers_and_sections_leave_only_padding(name: str) -> None:
    image = opened(name)
    covered = np.zeros(image.size, np.bool_)
    parts: list[Section | Extent] = [*image.sections, *image.extents]
    for part in parts:
        covered[part.offset : part.end] = True

    left = image.data[~covered]

    # What no header claims is alignment: zeros (or the INT3 that pads code).
    assert np.count_nonzero((left != 0) & (left != 0xCC)) == 0
