"""`gocost query` of dumps: several in a file, grouped ones, and those with ancestors."""

from __future__ import annotations

from pathlib import Path

import gocost
from tests.analyses.goroutines.dumps import MAIN, written
from tests.fixtures.dumps import shared


def test_the_ancestors_of_each_goroutine(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(shared("goleak.http.tracebackancestors.txt"))
    sql = "select ancestors from dump_goroutines where goroutine in (1, 4, 20) order by goroutine"
    assert gocost.query(path, sql=sql).tables["result"].column("ancestors") == [
        "",
        "net/http.(*Server).Serve;net/http.Serve;main.start;***;main.start;main.main",
        "main.start;main.main",
    ]


def test_dumps_of_one_file_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "service.log"
    turns = [written(range(10, 10 + many)) for many in (2, 5, 8)]
    path.write_text("\n".join(f"SIGQUIT\n\n{MAIN}\n{turn}" for turn in turns))
    sql = "select dump, count(*) from dump_goroutines group by 1 order by 1"
    found = gocost.query(path, sql=sql).tables["result"].rows
    assert [tuple(row) for row in found] == [(1, 3), (2, 6), (3, 9)]


def test_a_goroutine_of_any_dump_began_where_gocost_goroutines_says(tmp_path: Path) -> None:
    path = tmp_path / "grouped"
    path.write_text(
        "goroutine profile: total 1\n1 @ 0x1 0x2 0x3\n#\t0x1\tmain.main+0x1\t/src/main.go:9\n"
        "#\t0x2\truntime.main+0x1\t/go/src/runtime/proc.go:283\n\n"
    )
    groups = gocost.goroutines(path).tables["groups"]
    found = gocost.query(path, sql="select entry from dump_goroutines").tables["result"]
    assert found.column("entry") == groups.column("function") == ["main.main"]
