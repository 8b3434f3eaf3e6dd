"""`gocost query`: real files of every kind as tables, and what SQL may not do."""

from __future__ import annotations

import csv
import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

import gocost
from gocost.analyses.query.catalogue import relations
from gocost.api.query import answered, opened_files
from gocost.cli.main import run
from gocost.model.errors import FormatError, SourceError, UsageError
from gocost.model.report import Cell
from gocost.sources.sql_engine import Caps
from tests.analyses.goroutines.dumps import MAIN, written
from tests.fixtures.collected import pages
from tests.fixtures.profiles import shared
from tests.fixtures.traces import recorded

GOCOST = str(Path(sys.executable).with_name("gocost"))


@pytest.fixture(scope="module")
def cpu() -> str:
    return str(shared("large.cpu.pb.gz"))


@pytest.fixture
def dump(tmp_path: Path) -> str:
    path = tmp_path / "dump.txt"
    path.write_text(f"{MAIN}\n{written([10, 11], state='chan send (nil chan), 3 minutes')}")
    return str(path)


def rows(sql: str, *files: str | Path) -> list[list[Cell]]:
    return [list(row) for row in gocost.query(*files, sql=sql).tables["result"].rows]


def test_the_example_of_the_documentation() -> None:
    trace = recorded("go", "all")
    report = gocost.query(
        trace,
        sql="select goroutine_entry, sum(running_ns) from goroutines group by 1 order by 2 desc",
    )
    groups = gocost.trace(trace).tables["goroutine_groups"]
    known = dict(zip(groups.column("entry"), groups.column("running"), strict=True))
    found = report.tables["result"].rows
    assert {row[0]: row[1] for row in found} == known
    assert report.tables["result"].columns[1].unit.value == "nanoseconds"


def test_an_id_is_shown_as_it_is() -> None:
    sql = "select goroutine, starts from goroutines"
    told = (
        "select max(goroutine), count(goroutine), min(g.goroutine), sum(starts) from goroutines g"
    )
    for each in (sql, told):
        found = gocost.query(recorded("go", "all"), sql=each).tables["result"]
        assert [column.unit.value for column in found.columns[:2]] == ["number", "count"]
    assert [column.unit.value for column in found.columns[2:]] == ["number", "count"]


def test_every_goroutine_of_a_trace_is_a_row() -> None:
    trace = recorded("go", "all")
    groups = gocost.trace(trace).tables["goroutine_groups"]
    assert rows("select count(*) from goroutines", trace) == [[sum(groups.column("count"))]]  # type: ignore[arg-type]


@pytest.mark.parametrize("table", ["stw", "tasks", "regions"])
def test_tasks_regions_and_stops_have_the_figures_of_gocost_trace(table: str) -> None:
    trace = recorded("go", "all")
    known = gocost.trace(trace).tables[table]
    found = gocost.query(trace, sql=f"select * exclude (file) from {table}").tables["result"]
    assert found.names() == [
        f"{each.name}_ns" if each.unit.value == "nanoseconds" else each.name
        for each in known.columns
    ]
    assert [tuple(row) for row in found.rows] == [tuple(row) for row in known.rows]


@pytest.mark.parametrize("table", ["procs", "waits", "wait_places", "gc", "stw"])
def test_the_other_tables_of_a_trace_are_those_of_gocost_trace(table: str) -> None:
    trace = recorded("go", "all")
    known = gocost.trace(trace).tables[table]
    assert rows(f"select count(*) from {table}", trace) == [[len(known.rows)]]


def test_functions_are_those_of_profile_top(cpu: str) -> None:
    found = rows("select function, flat, cumulative from functions where type = 'cpu'", cpu)
    table = gocost.profile(cpu).tables["functions"]
    known = zip(*(table.column(c) for c in ("function", "flat", "cumulative")), strict=True)
    assert sorted(map(tuple, found)) == sorted(known)


def test_samples_and_frames_agree(cpu: str) -> None:
    total = "select count(distinct sample), sum(value) from samples where type = 'cpu'"
    assert rows(total, cpu) == [[20430, 240290000000]]
    deep = "select sum(len(stack)) from samples where type = 'cpu'"
    assert rows(deep, cpu) == rows("select count(*) from frames", cpu)
    leaf = (
        "select count(*) from samples s join frames f using (file, sample) where f.depth = 0 "
        "and s.type = 'cpu' and s.function = f.function and s.stack[1] = f.function"
    )
    assert rows(leaf, cpu) == [[20430]]


def test_several_files_have_their_names(cpu: str, dump: str) -> None:
    found = rows("select file, count(*) from samples where type = 'cpu' group by 1", cpu, dump)
    assert found == [[cpu, 20430]]
    found = rows("select file, sum(count) from dump_goroutines group by 1", cpu, dump)
    assert found == [[dump, 3]]


def test_a_dump(dump: str) -> None:
    found = rows(
        "select goroutine, state, minutes, len(stack) > 0, created_by is not null "
        "from dump_goroutines order by goroutine", dump
    )  # fmt: skip
    assert [row[0] for row in found] == [1, 10, 11]
    assert found[1][1:] == ["chan send (nil chan)", 3, True, True]


def test_pages_and_logs(tmp_path: Path) -> None:
    page, log = tmp_path / "metrics", tmp_path / "log"
    page.write_bytes(pages().data["txt"][1])
    log.write_bytes(pages().log)
    live = "select value from runtime_metrics where name = '/gc/heap/live:bytes'"
    assert rows(live, page)[0][0] > 1 << 20  # type: ignore[operator]
    buckets = "select sum(count) from runtime_histograms where name = '/sched/latencies:seconds'"
    assert rows(buckets, page)[0][0] > 0  # type: ignore[operator]
    cycles = pages().log.count(b" MB goal")
    assert rows("select count(*), max(cycle) from gc_cycles", log) == [[cycles, cycles]]


def test_a_file_alone_lacks_its_sql(cpu: str) -> None:
    done = subprocess.run([GOCOST, "query", cpu], capture_output=True, text=True, check=False)
    assert done.stderr == 'gocost: no SQL is given; gocost query FILE "SELECT ..."\n'


@pytest.mark.parametrize("length", [10, 300, 5000])
def test_sql_alone_lacks_its_file(length: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["query", "select " + length * "a"]) == 2
    assert capsys.readouterr().err == 'gocost: no file is named; gocost query FILE "SELECT ..."\n'


def test_saved_reports(tmp_path: Path, cpu: str) -> None:
    done = subprocess.run(
        [GOCOST, "profile", "top", cpu, "--format", "json"], capture_output=True, check=True
    )
    path = tmp_path / "saved.json"
    path.write_bytes(done.stdout)
    sql = "select sum(flat_ns) from report_functions"
    assert rows(sql, path) == rows("select sum(flat) from functions where type = 'cpu'", cpu)
    assert rows("select count(*) from facts", path)[0][0] == len(json.loads(done.stdout)["facts"])


def test_a_saved_report_with_files_of_its_own_and_from_standard_input(
    tmp_path: Path, cpu: str
) -> None:
    path = tmp_path / "saved.json"
    command = [GOCOST, "profile", "top", cpu, "--by", "file", "--format", "json", "-o", str(path)]
    subprocess.run(command, check=True)
    sql = "select count(distinct file_2), any_value(file) from report_files"
    files = len(json.loads(path.read_bytes())["tables"]["files"]["rows"])
    assert rows(sql, path) == [[files, str(path)]]
    command = [GOCOST, "query", "-", "select count(file_2) from report_files", "--format", "csv"]
    done = subprocess.run(command, input=path.read_bytes(), capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1] == str(files)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY samples TO '{there}'",
        "EXPLAIN COPY samples TO '{there}'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('http://127.0.0.1/x')",
        "SELECT * FROM query('COPY samples TO ''{there}''')",
        "ATTACH '{there}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "PRAGMA memory_limit='64GB'",
        "SET enable_external_access=true",
        "SET memory_limit='64GB'",
        "RESET lock_configuration",
        "EXPORT DATABASE '{there}'",
        "CREATE TABLE a (b int)",
        "DROP TABLE samples",
        "INSERT INTO samples SELECT * FROM samples",
        "SELECT 1; COPY samples TO '{there}'",
        "CALL pragma_version()",
    ],
)
def test_sql_reaches_nothing_but_the_inputs(cpu: str, tmp_path: Path, sql: str) -> None:
    there = tmp_path / "there"
    with pytest.raises(UsageError) as caught:
        gocost.query(cpu, sql=sql.format(there=there))
    assert "\n" not in str(caught.value)
    assert not there.exists()


def test_time_and_memory_have_caps(cpu: str) -> None:
    forever = "select count(*) from range(100000000000) a, range(1000000) b where a.range = b.range"
    with pytest.raises(UsageError, match="longer than 0\\.3 s; raise --seconds"):
        gocost.query(cpu, sql=forever, caps=Caps(seconds=0.3))
    large = "select count(*) from (select distinct range::varchar || 'x' from range(30000000))"
    with pytest.raises(UsageError, match="needs more memory"):
        gocost.query(cpu, sql=large, caps=Caps(memory_bytes=16 << 20))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select 1 from sampels", "there is no table sampels; did you mean samples?"),
        ("select valeu from samples", "there is no column valeu; did you mean value?"),
        ("select sample from functions", "there is no column sample; it is a column of frames"),
        ("selec 1", "syntax error"),
        ("", "there is no statement"),
        ("select 1; select 2", "several statements"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(cpu: str, sql: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        gocost.query(cpu, sql=sql)
    assert said in str(caught.value)
    if "there is no table" in said:
        assert "the tables are frames, functions, functions_by_type, labels, samples" in str(
            caught.value
        )


def test_the_prompt_decodes_files_when_they_are_named(tmp_path: Path, cpu: str) -> None:
    broken = tmp_path / "cut.trace"
    broken.write_bytes(b"go 1.26 trace\0\0\0\x01")
    opened = opened_files([cpu, broken])
    found = answered(opened, "select count(*) from functions", "both")
    assert found.tables["result"].rows[0][0] > 0  # type: ignore[operator]
    with pytest.raises(FormatError):
        answered(opened, "select count(*) from goroutines", "both")
    opened.engine.close()


def test_what_cannot_be_queried_is_named(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF\x02")
    with pytest.raises(FormatError, match="is an executable") as caught:
        rows("select 1", program)
    assert "gocost size" in caught.value.hint
    with pytest.raises(SourceError, match="does not exist"):
        rows("select 1", tmp_path / "none")


def test_every_table_and_column_is_explained(cpu: str) -> None:
    for relation in relations():
        assert relation.about
        assert all(each.about for each in relation.attributes)
        names = [each.name for each in relation.attributes]
        assert len(set(names)) == len(names)
    sql = "select comment from duckdb_columns() where table_name = 'samples' and not internal"
    comments = [row[0] for row in rows(sql, cpu)]
    assert "in the unit" in comments
    assert None not in comments


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([GOCOST, "query", *words], capture_output=True, text=True, check=False)


def test_a_result_as_parquet_and_csv(cpu: str, tmp_path: Path) -> None:
    sql = "select sample, type, value, stack from samples_by_type order by sample, type"
    for name in ("out.parquet", "out.csv"):
        done = typed(cpu, sql, "-o", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (0, "")
        assert "40,860 rows" in done.stderr
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 40860
    assert table.column("stack")[0].as_py()
    with (tmp_path / "out.csv").open() as stream:
        read = list(csv.DictReader(stream))
    assert len(read) == 40860
    assert read[0]["stack"] == ";".join(table.column("stack")[0].as_py())


def test_a_spreadsheet_runs_nothing_of_a_result(cpu: str, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    hostile = ["=HYPERLINK('x')", "+1", "@SUM(A1)", "-2", " =1", "a\x1b[2J", "plain", ""]
    listed = ", ".join("'" + text.replace("'", "''") + "'" for text in hostile)
    others = "['=1', 'b'] as list, -2 as number, null::text as n"
    statement = f'select unnest([{listed}]) as "=name", {others}'
    assert typed(cpu, statement, "-o", str(path)).returncode == 0
    with path.open(newline="") as stream:
        heading, *read = csv.reader(stream)
    assert heading == ["'=name", "list", "number", "n"]
    assert [row[0] for row in read] == [
        "'=HYPERLINK('x')", "'+1", "'@SUM(A1)", "'-2", "' =1", "a\\x1b[2J", "plain", ""
    ]  # fmt: skip
    assert read[0][1:] == ["'=1;b", "-2", ""]


def test_a_report_is_cut_where_it_is_told_to_be(cpu: str) -> None:
    done = typed(cpu, "select sample from samples", "--max-rows", "10", "--format", "json")
    report = json.loads(done.stdout)
    assert len(report["tables"]["result"]["rows"]) == 10
    assert "-o FILE.parquet" in report["notes"][0]["text"]


def test_a_page_says_what_was_asked(cpu: str) -> None:
    asked = "select count(*) as many\n  from samples where value < 5"
    page = typed(cpu, asked, "--format", "html").stdout
    assert "<h2>Statement</h2>" in page
    assert "value &lt; 5" in page.replace("\xa0", " ")
    assert "Statement" not in typed(cpu, asked).stdout, "who types it sees it"
    saved = json.loads(typed(cpu, asked, "--format", "json").stdout)["tables"]["statement"]
    assert "\n".join(row[0] for row in saved["rows"]) == asked


def test_tables_of_files(cpu: str) -> None:
    done = typed(cpu, "--tables", "--format", "csv")
    assert done.returncode == 0
    assert "samples" in done.stdout
    assert "the innermost function" in done.stdout


def test_the_prompt_answers(cpu: str) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [GOCOST, "query", cpu, "--interactive"],
        stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
    ) as process:  # fmt: skip
        os.close(theirs)
        try:
            _until(ours, "gocost>")
            os.write(ours, b"select sum(value) as v from samples where type = 'cpu';\r")
            assert "240,290,000,000" in _until(ours, "240,290,000,000")
            os.write(ours, b"select nothing from samples;\r")
            _until(ours, "there is no column nothing")
            os.write(ours, b".quit\r")
            assert process.wait(20) == 0
        finally:
            process.kill()
            os.close(ours)


def _until(descriptor: int, wanted: str, seconds: float = 30) -> str:
    """What the program writes until `wanted` is in it; answers its question for the cursor."""
    seen, end = "", time.monotonic() + seconds
    while wanted not in seen:
        assert time.monotonic() < end, seen
        if select.select([descriptor], [], [], 0.2)[0]:
            seen += os.read(descriptor, 65536).decode("utf-8", "replace")
            if seen.count("\x1b[6n"):
                os.write(descriptor, b"\x1b[1;1R")
                seen = seen.replace("\x1b[6n", "")
    return seen


def test_completion_offers_tables_after_from() -> None:
    from gocost.cli.query_prompt import candidates, completer

    tables = {"samples": ["file", "value"], "frames": ["file", "depth"]}
    assert candidates(tables, "select value from sa") == [("samples", "table")]
    assert ("value", "column of samples") in candidates(tables, "select va")
    assert ("SELECT", "SQL") in candidates(tables, "sel")
    document = Document("select value from sam")
    (found,) = completer(tables).get_completions(document, CompleteEvent())
    assert (found.text, found.start_position) == ("samples", -3)


def test_nothing_heavy_is_imported_for_help() -> None:
    code = (
        "import sys, gocost.cli.query; print('duckdb' in sys.modules or 'pyarrow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("sql", ["select 1", "select count(*) from dump_goroutines"])
def test_a_file_that_cannot_be_read_is_not_passed_over(
    sql: str, cpu: str, dump: str, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.pb.gz"
    cut.write_bytes(Path(cpu).read_bytes()[:10_000])

    for files in ((cut, dump), (dump, cut)):
        with pytest.raises(FormatError, match=r"cut\.pb\.gz: the gzip stream is cut off"):
            gocost.query(*files, sql=sql)
        done = subprocess.run(
            [GOCOST, "query", *map(str, files), sql, "-o", str(tmp_path / "x.csv")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (3, "")
        assert not (tmp_path / "x.csv").exists()
    assert rows(sql, dump)
