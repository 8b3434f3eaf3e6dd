"""pclntab, moduledata and type data of real binaries, beside what the go command says of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from fuzz.small_binary import small_binary
from fuzz.small_pclntab import FUNCTIONS, LAYOUTS

from gocost.formats import pclntab, pclntab_header, type_data
from gocost.formats.executable import Executable, open_executable
from gocost.formats.pclntab import Pclntab
from gocost.model.errors import FormatError
from tests.fixtures.binaries import binary

UNSTRIPPED = (
    "linux-amd64", "linux-amd64-pie", "linux-amd64-cgo", "linux-amd64-cgo-pie",
    "linux-amd64-c-shared", "linux-386", "linux-arm64", "linux-s390x", "windows-amd64",
    "darwin-arm64", "go1.19-linux-amd64", "go1.19-linux-amd64-pie",
)  # fmt: skip
STRIPPED = {
    "linux-amd64-pie-stripped": "linux-amd64-pie",
    "linux-amd64-cgo-pie-stripped": "linux-amd64-cgo-pie",
    "windows-amd64-stripped": "windows-amd64",
    "darwin-arm64-stripped": "darwin-arm64",
}


def opened(path: Path) -> Executable:
    return open_executable(np.fromfile(path, np.uint8))


def decoded(path: Path) -> Pclntab:
    image = opened(path)
    located = pclntab_header.locate(image)
    assert located is not None
    return pclntab.decode(image, located)


def name(table: Pclntab, index: int) -> str:
    at = int(table.names[table.name[index]])
    return table.nametab[at : at + 4096].tobytes().split(b"\0", 1)[0].decode()


def symbols(path: Path) -> dict[int, tuple[int, str]]:
    """Address to size and name of every function, from `go tool nm`."""
    listed = subprocess.run(
        ["go", "tool", "nm", "-size", str(path)], capture_output=True, text=True, check=True
    ).stdout
    found: dict[int, tuple[int, str]] = {}
    for line in listed.splitlines():
        parts = line.split(None, 3)
        if len(parts) == 4 and parts[2] in "Tt" and int(parts[1]):
            found[int(parts[0], 16)] = (int(parts[1]), parts[3])
    return found


@pytest.mark.parametrize("recipe", UNSTRIPPED)
def test_functions_and_sizes_are_those_of_nm(recipe: str) -> None:
    path = binary(recipe)
    table = decoded(path)
    peers = symbols(path)
    assert table.faults == 0
    assert len(table) > 1000
    differ = [
        (name(table, k), size, peers.get(entry))
        for k, (entry, size) in enumerate(
            zip(table.entry.tolist(), table.code.tolist(), strict=True)
        )
        if peers.get(entry, (0, ""))[0] != size
    ]
    if opened(path).container != "elf":
        # Other containers record no sizes: nm prints the distance to the next symbol.
        gaps = dict(zip(table.entry.tolist(), table.gap.tolist(), strict=True))
        differ = [row for row in differ if row[2] is None]
        assert all(gaps[at] >= 0 for at in gaps)
    # Two names may stand at the first address: runtime.text is a mark and no function.
    assert len(differ) <= 3, differ[:10]


@pytest.mark.parametrize(("stripped", "whole"), STRIPPED.items())
def test_stripping_takes_nothing_from_it(stripped: str, whole: str) -> None:
    one, two = decoded(binary(stripped)), decoded(binary(whole))
    assert one.code.tolist() == two.code.tolist()
    assert one.nametab.tobytes() == two.nametab.tobytes()
    assert len(one.inlined.outer) == len(two.inlined.outer) > 1000


def test_what_was_inlined_where() -> None:
    table = decoded(binary("linux-amd64"))
    inlined = table.inlined
    assert 0.02 < inlined.bytes.sum() / table.code.sum() < 0.6
    by_function = np.bincount(inlined.outer, weights=inlined.bytes, minlength=len(table))
    assert (by_function <= table.code).all()


@pytest.mark.parametrize(
    "recipe", ["linux-amd64", "linux-amd64-pie-stripped", "linux-amd64-cgo-pie-stripped",
               "windows-amd64-stripped", "darwin-arm64-stripped", "linux-386", "linux-s390x",
               "go1.19-linux-amd64", "go1.16-linux-amd64", "go1.17-linux-amd64"]
)  # fmt: skip
def test_type_data_is_explained(recipe: str) -> None:
    image = opened(binary(recipe))
    located = pclntab_header.locate(image)
    assert located is not None
    assert located.moduledata is not None
    types = type_data.decode(image, located.moduledata)
    assert types is not None
    assert types.explained_in_area / (types.area_end - types.address) > 0.97
    assert {"fmt", "os", "runtime"} <= set(types.paths)
    assert (types.start[1:] >= types.stop[:-1]).all()


@pytest.mark.parametrize(("version", "width", "order"), LAYOUTS)
def test_every_layout(version: str, width: int, order: str) -> None:
    image = open_executable(small_binary(version, width, order))  # type: ignore[arg-type]
    located = pclntab_header.locate(image)
    assert located is not None
    assert located.moduledata is not None
    assert located.header.version == version
    table = pclntab.decode(image, located)
    assert [name(table, k) for k in range(len(table))] == [part.name for part in FUNCTIONS]
    assert table.code.tolist() == [part.size for part in FUNCTIONS]
    assert table.inlined.bytes.tolist() == [call.bytes for part in FUNCTIONS for call in part.calls]
    types = type_data.decode(image, located.moduledata)
    assert types is not None
    assert types.paths == ("example.com/shop",)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xf1\xff\xff\xff", b"\xf1\xff\xff\xff\0\0\3\x08" + bytes(80), bytes(100),
     b"\xf1\xff\xff\xff\0\0\1\x08" + b"\xff" * 80, b"\xf1\xff\xff\xff\1\0\1\x08" + bytes(80)],
)  # fmt: skip
def test_a_header_that_is_none(raw: bytes) -> None:
    with pytest.raises(FormatError):
        pclntab_header.read_header(np.frombuffer(raw, np.uint8))


def test_a_binary_without_go_has_no_pclntab() -> None:
    assert pclntab_header.locate(opened(Path("/bin/true"))) is None
