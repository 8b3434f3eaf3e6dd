"""Files that are not there, and folders that may not be looked into."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gocost.model.errors import SourceError
from gocost.sources.files import exists, is_file, is_folder, mapped, positioned


def test_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert (is_file(tmp_path / "file"), is_file(tmp_path), is_file(tmp_path / "x")) == (
        True,
        False,
        False,
    )
    assert (is_folder(tmp_path), is_folder(tmp_path / "file")) == (True, False)
    assert (exists(tmp_path / "file"), exists(tmp_path / "x")) == (True, False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs files as Unix has them")
@pytest.mark.parametrize("opened", [mapped, positioned])
def test_what_is_no_file_is_named(
    opened: Callable[[Path], AbstractContextManager[object]], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, kind in [
        (tmp_path / "pipe", "pipe is a pipe; "),
        (Path("/dev/zero"), "/dev/zero is a device or a socket; "),
        (tmp_path, " is a folder; name a file in it"),
        (tmp_path / "x", "x does not exist; "),
    ]:
        with pytest.raises(SourceError) as caught, opened(path):
            pass
        assert kind in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs users as Unix has them")
def test_a_folder_that_may_not_be_searched_is_named(tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "from gocost.sources.files import exists, is_file, is_folder\n"
        "from gocost.model.errors import SourceError\n"
        "path = Path(sys.argv[1])\npath.mkdir(0)\nos.chdir(path.parent)\n"
        "if os.geteuid() == 0:\n    os.chmod('.', 0o755)\n    os.setuid(65534)\n"
        "for ask in (exists, is_file, is_folder):\n"
        "    try:\n        ask(Path(path.name) / 'x')\n"
        "    except SourceError as error:\n        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "locked")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.count("locked/x may not be read by this user; try `ls -l") == 3
