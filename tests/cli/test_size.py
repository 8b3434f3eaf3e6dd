"""`gocost size` as it is typed: JSON, text, options, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.binaries import binary

GOCOST = str(Path(sys.executable).with_name("gocost"))


def gocost(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([GOCOST, *arguments], capture_output=True, text=True, check=False)


def report(*arguments: str) -> dict[str, Any]:
    done = gocost(*arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def column(table: dict[str, Any], name: str) -> list[Any]:
    index = [entry["name"] for entry in table["columns"]].index(name)
    return [row[index] for row in table["rows"]]


@pytest.mark.parametrize("options", [(), ("--top", "5"), ("--filter", "json"), ("--top", "0")])
def test_tables_add_up_in_json(options: tuple[str, ...]) -> None:
    path = binary("linux-amd64")
    tables = report("size", str(path), *options)["tables"]
    for name in ("kinds", "sections", "modules", "packages", "functions"):
        assert sum(column(tables[name], "bytes")) == path.stat().st_size, name
        assert tables[name]["sums_to"] == {"column": "bytes", "metric": "binary.size"}


def test_functions_and_sizes_are_those_of_nm() -> None:
    path = binary("linux-amd64")
    table = report("size", str(path))["tables"]["functions"]
    found: dict[str, set[int]] = {}
    for name, code in zip(column(table, "function"), column(table, "code"), strict=True):
        found.setdefault(name, set()).add(code)
    listed = subprocess.run(
        ["go", "tool", "nm", "-size", str(path)], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()]
    peers = [(row[3], int(row[1])) for row in rows if len(row) == 4 and row[2] in "Tt"]
    # nm tells an assembly function from its wrapper by a suffix that pclntab has not.
    missing = [
        (name, size)
        for name, size in peers
        if size and size not in found.get(name.removesuffix(".abi0"), set())
    ]
    assert len(peers) > 1000
    assert len(missing) <= 3, missing[:10]


def test_text_says_what_stripping_saves_and_what_is_covered() -> None:
    done = gocost("size", str(binary("linux-amd64")))
    assert done.returncode == 0
    assert "stripping would save" in done.stdout
    assert "of the file is attributed to packages" in done.stdout
    assert "What the bytes are" in done.stdout


def test_output_is_stable() -> None:
    path = str(binary("linux-amd64-cgo"))
    assert gocost("size", path).stdout == gocost("size", path).stdout


def test_by_and_base() -> None:
    path = str(binary("linux-amd64"))
    text = gocost("size", path, "--by", "module, kind").stdout
    assert "Bytes by module and kind" in text
    grown = gocost("size", path, "--base", str(binary("linux-amd64-stripped"))).stdout
    assert "What made the size change" in grown


@pytest.mark.parametrize("format_", ["csv", "markdown", "html"])
def test_other_formats(format_: str, tmp_path: Path) -> None:
    out = tmp_path / "report"
    path = str(binary("linux-amd64"))
    done = gocost("size", path, "--by", "package", "--format", format_, "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert "runtime" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("size", "/absent"), 3, "/absent does not exist"),
        (("size", "/bin/true"), 3, "without Go in it"),
        (("size", "{binary}", "--by", "colour"), 2, "choose of module, package"),
        (("size", "{binary}", "--by", ""), 2, "choose of module, package"),
        (("size", "{binary}", "--filter", "("), 2, "no regular expression"),
        (("size", "{binary}", "--base", "/absent"), 2, "/absent"),
        (("size",), 2, "BINARY|FOLDER"),
    ],
)
def test_bad_input_gets_one_line(arguments: tuple[str, ...], code: int, message: str) -> None:
    words = [word.format(binary=binary("linux-amd64")) for word in arguments]
    done = gocost(*words)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
