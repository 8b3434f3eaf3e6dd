"""What a file is instead of a Go executable, by real files of each kind."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import msgspec
import pytest

from gocost.formats.go_binary import open_go_binary
from gocost.model.errors import FormatError
from gocost.model.report import Report
from tests.fixtures.binaries import RECIPES, RELEASES, binary
from tests.formats.upx import packed, packed_library


@pytest.mark.parametrize("name", [*RECIPES, *RELEASES])
def test_go_binaries_are_opened_with_their_build_info(name: str) -> None:
    found = open_go_binary(binary(name).read_bytes())

    assert found.info is not None
    assert found.info.go_version.startswith(name.partition("-")[0] if "go1." in name else "go1.")


def tar_of(data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("app")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def zip_of(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("app", data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "named", "hint"),
    [
        (b"", "an empty file", "build or copy"),
        (b"#!/bin/sh\nexec app\n", "a script", "that it starts"),
        (msgspec.json.encode(Report("size", "0.1")), "a report of gocost", "--base takes"),
        (gzip.compress(b"x" * 99, mtime=0), "a gzip archive", "unpack"),
        (zip_of(b"x"), "a zip archive", "unpack it first: unzip FILE, and name the executable"),
        (b"PK\x05\x06" + bytes(18), "a zip archive", "unzip FILE"),
        (tar_of(b"x" * 99), "a tar archive", "tar -xf FILE, and name the executable inside"),
        (bz2.compress(b"x" * 99), "compressed by bzip2", "bunzip2 FILE"),
        (lzma.compress(b"x" * 99), "compressed by xz", "unxz FILE"),
        (b"\x28\xb5\x2f\xfd" + bytes(64), "compressed by zstd", "zstd -d FILE"),
        (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(64), "a 7-zip archive", "7z x FILE"),
        (b"BZhandler\n", "a text file", "go build"),
        (b"\xca\xfe\xba\xbe\0\0\0\x41" + bytes(64), "a Java class", "go build"),
        (b"\0asm\1\0\0\0", "a WebAssembly module", "GOARCH"),
        (b"go 1.22\n\nmodule x\n", "a text file", "go build"),
        ("größe\n".encode(), "a text file", "go build"),
        (bytes(range(256)), "no executable that gocost knows", "ELF, PE and Mach-O"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_other_files_are_named(data: bytes, named: str, hint: str) -> None:
    with pytest.raises(FormatError, match=named) as caught:
        open_go_binary(data)

    assert hint in caught.value.hint


def test_a_program_of_another_language_is_named() -> None:
    with pytest.raises(FormatError, match="an ELF executable without Go in it") as caught:
        open_go_binary(Path(sys.executable).resolve().read_bytes())
    assert caught.value.hint == "name the executable that `go build` wrote"


def test_an_object_file_is_named(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")
    source = tmp_path / "empty.c"
    source.write_text("int nothing;\n")
    subprocess.run(["gcc", "-c", str(source), "-o", str(tmp_path / "empty.o")], check=True)

    with pytest.raises(FormatError, match="an object file"):
        open_go_binary((tmp_path / "empty.o").read_bytes())


PACKED = ["linux-amd64", "linux-386", "linux-arm64", "windows-amd64", "windows-386", "darwin-amd64"]


@pytest.mark.parametrize("name", PACKED)
def test_a_file_packed_with_upx_is_named(name: str, tmp_path: Path) -> None:
    refused = [packed(binary(name).read_bytes()), *packed_by_upx(binary(name), tmp_path)]

    for data in refused:
        with pytest.raises(FormatError, match="UPX-packed") as caught:
            open_go_binary(data)
        assert "upx -d" in caught.value.hint


def test_a_packed_library_is_named_by_its_end() -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc")
    data = packed_library(binary("linux-amd64-c-shared").read_bytes())
    assert b"UPX!" not in data[:1024]

    with pytest.raises(FormatError, match="UPX-packed"):
        open_go_binary(data)


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_file_without_the_marks_is_another_program(name: str) -> None:
    data = packed(binary(name).read_bytes()).replace(b"UPX!", b"XPU?")

    with pytest.raises(FormatError) as caught:
        open_go_binary(data)

    assert "UPX" not in caught.value.message


def test_a_program_that_speaks_of_upx_is_not_packed() -> None:
    data = binary("linux-amd64").read_bytes()
    middle = data.index(b"runtime error: ")
    found = open_go_binary(data[:middle] + b"UPX!" + data[middle + 4 :])

    assert found.info is not None


def packed_by_upx(path: Path, folder: Path) -> list[bytes]:
    """The same file packed by upx itself where that is installed and takes files of this kind."""
    upx = shutil.which("upx") or shutil.which("upx-ucl")
    if upx is None:
        return []
    copy = folder / path.name
    shutil.copyfile(path, copy)
    copy.chmod(0o755)
    done = subprocess.run([upx, "-q", "-1", str(copy)], check=False, capture_output=True)
    return [copy.read_bytes()] if done.returncode == 0 else []


@pytest.mark.parametrize("name", ["linux-amd64", "windows-amd64", "darwin-arm64"])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_a_file_cut_off_is_told_so(name: str, share: float) -> None:
    data = binary(name).read_bytes()

    with pytest.raises(FormatError, match="needs bytes") as caught:
        open_go_binary(data[: int(len(data) * share)])

    assert "cut off" in caught.value.hint


def test_go_without_build_info_is_still_go() -> None:
    data = binary("linux-amd64").read_bytes().replace(b"\xff Go buildinf:", b"\xff no buildinf:")

    found = open_go_binary(data)

    assert found.info is None
    assert "no Go build information" in found.reason
