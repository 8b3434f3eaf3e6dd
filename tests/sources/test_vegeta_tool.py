"""Building the pinned vegeta into a cache."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gocost.model.errors import SourceError
from gocost.sources.load.vegeta_tool import MODULE, vegeta_program


def test_one_of_many_builds_it_whatever_go_settings_the_user_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given settings of a user's module that would break the build of another one
    (tmp_path / "go.work").write_text("go 1.22\n\nuse ./absent\n")
    monkeypatch.setenv("GOWORK", str(tmp_path / "go.work"))
    monkeypatch.setenv("GOFLAGS", "-mod=vendor -tags=absent")
    monkeypatch.setenv("GOOS", "windows")
    monkeypatch.setenv("GOCOST_CACHE", str(tmp_path / "cache"))

    # When three want it at once
    with ThreadPoolExecutor(3) as pool:
        programs = list(pool.map(lambda _: vegeta_program(), range(3)))
    inode = programs[0].stat().st_ino
    again = vegeta_program()

    # Then there is one program, it runs here, and nothing else is left in the folder
    assert set(programs) == {again}
    assert again.stat().st_ino == inode
    version = subprocess.run([again, "-version"], capture_output=True, text=True, check=True)
    assert "Runtime: go" in version.stdout
    left = sorted(path.name for path in again.parent.iterdir())
    assert left == [again.name, f"{again.name}.lock"]
    info = subprocess.run(["go", "version", "-m", again], capture_output=True, text=True).stdout
    assert "github.com/tsenart/vegeta/v12\tv12.13.0\th1:" in info


def test_no_network_on_first_use_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOCOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOPROXY", "off")

    with pytest.raises(SourceError, match="vegeta could not be built") as caught:
        vegeta_program()

    assert "GOPROXY" in caught.value.hint
    assert "command" in caught.value.hint
    assert [path.suffix for path in (tmp_path / "cache" / "tools").iterdir()] == [".lock"]


def test_the_module_is_pinned_by_checksums() -> None:
    sums = (MODULE / "go.sum").read_text()
    assert "github.com/tsenart/vegeta/v12 v12.13.0 h1:" in sums
    assert "github.com/tsenart/vegeta/v12 v12.13.0" in (MODULE / "go.mod").read_text()
