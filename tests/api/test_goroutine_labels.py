"""gocost.goroutines: labels and ancestors, where a dump has them."""

from __future__ import annotations

import io
from pathlib import Path

import gocost
from gocost.reporters.interface import Settings
from gocost.reporters.registry import reporter
from tests.fixtures.dumps import shared

ONE = """goroutine {id} gp=0xc1 m=3 mp=0xc2 [select, 2 minutes labels:{{"tenant": "{tenant}"}}]:
main.serve()
\t/a/main.go:9 +0x1
created by main.main in goroutine 1
\t/a/main.go:2 +0x1

"""
MAIN = "goroutine 1 [running]:\nmain.main()\n\t/a/main.go:3 +0x1\n\n"


def dump(folder: Path, *tenants: str) -> Path:
    path = folder / "dump"
    texts = [ONE.format(id=number, tenant=tenant) for number, tenant in enumerate(tenants, 12)]
    path.write_text(MAIN + "".join(texts))
    return path


def test_goroutines_by_label(tmp_path: Path) -> None:
    report = gocost.goroutines(dump(tmp_path, "a", "b", "b"), by="label")
    assert report.layout.tables is not None
    assert report.layout.tables[0] == "labels"
    assert [list(row) for row in report.tables["labels"].rows] == [
        ['{"tenant": "b"}', 2],
        [None, 1],
        ['{"tenant": "a"}', 1],
    ]


def test_what_waits_for_long_by_label(tmp_path: Path) -> None:
    """main runs, and has not waited; the others have for two minutes."""
    path = dump(tmp_path, "a", "b", "b")
    old = gocost.goroutines(path, by="label", older_than=60).tables["labels"]
    assert [list(row) for row in old.rows] == [['{"tenant": "b"}', 2], ['{"tenant": "a"}', 1]]
    assert old.sums_to is None
    older = gocost.goroutines(path, by="label", older_than=180).tables["labels"]
    assert not older.rows


def test_labels_of_few_are_left_out(tmp_path: Path) -> None:
    report = gocost.goroutines(dump(tmp_path, "a", "b", "b"), by="label", min_count=2)
    assert [list(row) for row in report.tables["labels"].rows] == [['{"tenant": "b"}', 2]]
    assert report.tables["labels"].title == "Goroutines by label; labels of 2 or more"


def test_labels_are_for_who_asks_for_them(tmp_path: Path) -> None:
    """They may hold what is personal."""
    report = gocost.goroutines(dump(tmp_path, "somebody"))
    out = io.StringIO()
    reporter("json").render(report, out, Settings())
    assert "somebody" not in out.getvalue()


def test_a_dump_without_labels_says_how_to_get_them(tmp_path: Path) -> None:
    report = gocost.goroutines(dump(tmp_path), by="label")
    assert [list(row) for row in report.tables["labels"].rows] == [[None, 1]]
    assert any("tracebacklabels=1" in note.text for note in report.notes)


def test_the_ancestors_of_a_group(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(shared("goleak.http.tracebackancestors.txt"))
    report = gocost.goroutines(path)
    assert "main.start;main.main" in report.tables["groups"].column("ancestors")
    assert any("`ancestors`" in note.text for note in report.notes)
