"""Fat Mach-O files, made of two real slices; and pointers in chained fixups."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import lief
import pytest

from gocost.formats.buildinfo import read_buildinfo, version_text
from gocost.formats.executable import open_executable
from gocost.formats.go_binary import open_go_binary
from gocost.model.errors import FormatError
from tests.fixtures.binaries import binary

CPU = {"amd64": 0x01000007, "arm64": 0x0100000C}


def fat(*machines: str) -> bytes:
    """The darwin fixtures of these machines as slices of one file, page-aligned as lipo does."""
    head = struct.pack(">II", 0xCAFEBABE, len(machines))
    body = b""
    start = 0x4000
    for machine in machines:
        data = binary(f"darwin-{machine}").read_bytes()
        body += bytes(-(start + len(body)) % 0x4000)
        head += struct.pack(">IIIII", CPU[machine], 0, start + len(body), len(data), 14)
        body += data
    return head + bytes(start - len(head)) + body


def test_the_first_slice_is_chosen_as_the_go_command_does(tmp_path: Path) -> None:
    path = tmp_path / "fat"
    path.write_bytes(fat("arm64", "amd64"))
    expected = subprocess.run(
        ["go", "version", "-m", str(path)], capture_output=True, text=True, check=True
    ).stdout

    image = open_executable(path.read_bytes())

    assert image.machine == "arm64"
    assert [(part.machine, part.chosen) for part in image.slices] == [
        ("arm64", True),
        ("amd64", False),
    ]
    assert version_text(read_buildinfo(image), str(path)) == expected


def test_a_slice_can_be_chosen_and_keeps_its_place_in_the_file() -> None:
    data = fat("arm64", "amd64")
    alone = open_executable(binary("darwin-amd64").read_bytes())

    image = open_go_binary(data, "amd64").image

    start = next(part.offset for part in image.slices if part.chosen)
    assert image.machine == "amd64"
    assert image.size == len(data)
    assert [part.offset - start for part in image.sections if part.size_in_file] == [
        part.offset for part in alone.sections if part.size_in_file
    ]
    assert image.symbols().names() == alone.symbols().names()
    text = alone.section("__text")
    assert text is not None
    assert image.read(text.address, 64).tobytes() == alone.read(text.address, 64).tobytes()


def test_every_byte_of_the_other_slice_is_accounted_for() -> None:
    image = open_executable(fat("arm64", "amd64"))

    names = {part.name: part.size for part in image.extents}

    assert names["slice amd64"] == binary("darwin-amd64").stat().st_size
    assert names["fat header"] == 48


def test_a_slice_that_is_not_there_is_named() -> None:
    with pytest.raises(FormatError, match="no slice for 386") as caught:
        open_executable(fat("arm64", "amd64"), "386")

    assert "arm64, amd64" in caught.value.hint


@pytest.mark.parametrize("machine", ["arm64", "x86_64"])
def test_pointers_in_chained_fixups_are_unpacked(machine: str, tmp_path: Path) -> None:
    # Given a library whose linker packs its pointers into chains
    clang, lld = (newest(name) for name in ("clang", "ld64.lld"))
    source = tmp_path / "pointers.c"
    source.write_text(
        "int a = 1; static int b = 2; int *p = &a; int *q = &b;\n"
        "void *table[2000] = {&a, &b, &p, 0, &q, [1500] = &table[7]};\n"
        'const char *names[] = {"one", "two"};\n'
    )
    target = f"{machine}-apple-macos12"
    library = tmp_path / "pointers.dylib"
    subprocess.run([clang, "-target", target, "-c", source, "-o", tmp_path / "p.o"], check=True)
    subprocess.run(
        [lld, "-dylib", "-arch", machine, "-platform_version", "macos", "12.0", "12.0",
         "-fixup_chains", "-o", library, tmp_path / "p.o"],
        check=True,
    )  # fmt: skip

    # When it is opened
    image = open_executable(library.read_bytes())

    # Then every pointer is the one that LIEF finds, and the one that the symbols say
    oracle: Any = lief.parse(str(library))
    moved = image.relocations()
    assert sorted(zip(moved.address.tolist(), moved.target.tolist(), strict=True)) == sorted(
        (part.address, part.target) for part in oracle.relocations
    )
    symbols = image.symbols()
    at = dict(zip(symbols.names(), symbols.address.tolist(), strict=True))
    assert image.pointer_at(at["_p"]) == at["_a"]
    assert image.pointers(at["_table"], 4).tolist() == [at["_a"], at["_b"], at["_p"], 0]
    assert image.pointer_at(at["_table"] + 1500 * 8) == at["_table"] + 56


def newest(program: str) -> str:
    for name in (program, *(f"{program}-{version}" for version in range(22, 15, -1))):
        if shutil.which(name):
            return name
    pytest.skip(f"needs {program} 16 or later: apt-get install clang-16 lld-16")
