"""`gocost query` of a dump that was made with GODEBUG=tracebackancestors=N."""

from __future__ import annotations

from pathlib import Path

import gocost
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
