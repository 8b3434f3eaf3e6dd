"""`gocost size --base` with a saved report, and with what is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gocost
from gocost.cli.main import run
from gocost.model.errors import SourceError, UsageError
from gocost.model.report import Report
from tests.fixtures.binaries import Recipe, binary, built

HEAD = Recipe(program="assets", flags=("-tags=more",))


def head() -> Path:
    return built(HEAD)


def base() -> Path:
    return built(Recipe(program="assets"))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """What `gocost size FILE --format json -o` wrote of the base."""
    path = tmp_path / "old.json"
    assert run(["size", str(base()), "--format", "json", "-o", str(path)]) == 0
    return path


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))
    return path


def notes(report: Report) -> str:
    return "\n".join(note.text for note in report.notes)


def test_a_saved_report_is_as_good_as_its_binary(saved: Path) -> None:
    report = gocost.size(head(), base=saved)

    wanted = gocost.size(head(), base=base())
    for name in ("causes", "growth", "growth_packages", "growth_functions"):
        assert report.tables[name].rows == wanted.tables[name].rows
    assert report.changes == wanted.changes
    assert report.layout.tables == wanted.layout.tables
    assert f"against {saved}" in notes(report)
    assert "whether build settings changed cannot be told" in notes(report)
    assert "build settings changed: -tags" in notes(wanted)


def test_the_file_may_have_any_name(saved: Path) -> None:
    other = saved.rename(saved.with_name("yesterday"))

    assert gocost.size(head(), base=other).tables["growth"].rows


def test_a_report_of_a_check_tells_modules_and_no_versions(tmp_path: Path) -> None:
    policy = tmp_path / "gocost.yaml"
    policy.write_text(
        "version: 1\nservices:\n"
        f"  program: {{build: {{binary: {base()}}}, rules: [\n"
        "    {metric: binary.size, max: 1 GiB}, {metric: binary.size.unknown, max: 1 GiB}]}\n"
        f"  other: {{build: {{binary: {head()}}}, rules: [{{metric: binary.size, max: 1 GiB}}]}}\n"
    )
    path = tmp_path / "check.json"
    out = str(tmp_path / "out")
    assert run(["check", "--policy", str(policy), "--save", str(path), "-o", out]) == 0
    program = tmp_path / "program"
    program.write_bytes(head().read_bytes())

    report = gocost.size(program, base=path)

    (change,) = report.changes
    assert change.base == base().stat().st_size
    assert change.head == head().stat().st_size
    with pytest.raises(UsageError, match="has the services program, other, and none is named"):
        gocost.size(head(), base=path)
    alone = gocost.size(program, base=edited(path, only_the_size))
    assert "growth" not in alone.tables
    assert alone.changes == report.changes
    assert "the base tells the total alone" in notes(alone)


def only_the_size(report: dict[str, Any]) -> None:
    report["facts"] = [fact for fact in report["facts"] if fact["metric"] == "binary.size"]


def test_another_version_of_gocost_is_told(saved: Path) -> None:
    report = gocost.size(head(), base=edited(saved, lambda report: report.update(gocost="0.0.1")))

    assert "saved by gocost 0.0.1" in notes(report)


def test_an_edited_report_is_refused(saved: Path) -> None:
    def grow(report: dict[str, Any]) -> None:
        report["tables"]["modules"]["rows"][0][2] += 1

    with pytest.raises(UsageError, match="does not add up") as caught:
        gocost.size(head(), base=edited(saved, grow))

    assert str(saved) in caught.value.message
    assert "it was edited; save one: gocost size" in caught.value.hint


def test_a_report_of_another_command_is_named(tmp_path: Path) -> None:
    path = tmp_path / "linkage.json"
    assert run(["linkage", str(base()), "--format", "json", "-o", str(path)]) == 0

    with pytest.raises(UsageError, match="is a report of `gocost linkage`, and has no") as caught:
        gocost.size(head(), base=path)

    assert "gocost size FILE --format json -o" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.json", b"", "is an empty file, and no report"),
        ("blank.json", b"\n \n", "is an empty file, and no report"),
        ("other.json", b'{"a": 1}', "is not a report of this gocost"),
        ("list.json", b"[1]", "is not a report of this gocost"),
        ("later.json", b'{"schema": "gocost.report/9", "command": "size"}', "gocost.report/9"),
        ("no-json.json", b"\x7fELF", "is not a report of this gocost"),
        ("noname", b' {"a": 1}', "is not a report of this gocost"),
        ("deep.json", b"[" * 200_000, "is not a report of this gocost"),
    ],
)
def test_what_is_no_report_gets_one_line(
    name: str, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    assert run(["size", str(binary("linux-amd64")), "--base", str(path)]) == 2

    error = capsys.readouterr().err
    assert f"{path} " in error
    assert said in error
    assert "save one: gocost size FILE --format json -o REPORT.json" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("share", [0.0001, 0.5, 0.999])
def test_a_report_that_was_cut_off_is_none(saved: Path, share: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])

    with pytest.raises(UsageError, match="is not a report of this gocost"):
        gocost.size(head(), base=saved)


def test_what_no_base_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--base names nothing"):
        gocost.size(head(), base="")
    with pytest.raises(SourceError, match="is a folder") as folder:
        gocost.size(head(), base=tmp_path)
    assert "or a git ref" in folder.value.hint
    with pytest.raises(UsageError, match="neither a file nor a commit") as absent:
        gocost.size(head(), base=tmp_path / "absent", directory=Path(__file__).parent)
    assert absent.value.hint == "check the path"
