"""The first policy of a module: measured limits, headroom, comments; and what tightens it."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from gocost.api.init import init
from gocost.api.policy_file import lint, tighten
from gocost.cli.main import run
from gocost.gate.initial import main_packages
from gocost.gate.verdict import exit_code
from gocost.model.errors import ExitCode, NotMeasurableError, UsageError
from gocost.model.finding import Outcome
from gocost.model.quantity import Unit, parse
from gocost.policy.loading import load
from gocost.reporters.interface import Settings
from gocost.reporters.text import TextReporter
from tests.gate.modules import checked, finding, needs_go
from tests.sources.repositories import commit, module

pytestmark = needs_go


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GOFLAGS", "-buildvcs=auto")


def plain(text: str) -> str:
    """A policy's words on one line, without the comments' marks."""
    return " ".join(text.replace("#", " ").split())


def limit_of(folder: Path, service: str) -> float:
    policy = load(folder / "gocost.yaml").only([service])
    rules = {rule.id: rule for rule in policy.services[0].rules}
    value = rules["binary.size"].limits["max"].value
    assert isinstance(value, int | float)
    return value


def test_limits_are_what_is_measured_plus_headroom(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    commit(root)
    report = init(root, headroom=0.2)
    fact = report.fact("binary.size")
    assert fact is not None
    assert isinstance(fact.value, int)
    assert fact.value * 1.2 <= limit_of(root, "app") <= fact.value * 1.22
    text = (root / "gocost.yaml").read_text()
    assert "with 20% of headroom" in text
    assert "# run:" in text
    assert text.count("#") > 10
    assert "one_of: [static, static-pie]" in text


@pytest.mark.parametrize("ci", ["", "true"])
def test_the_first_check_is_clean(ci: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = module(tmp_path / "app")
    commit(root)
    assert "commit it: in CI a modified tree blocks" in init(root).notes[-1].text

    # outside of CI at once, and in CI when it is committed
    monkeypatch.setenv("CI", ci)
    assert exit_code(checked(root)) == (ExitCode.VIOLATED if ci else ExitCode.CLEAN)
    commit(root, "policy")
    assert exit_code(checked(root, "HEAD")) == ExitCode.CLEAN
    assert lint(root / "gocost.yaml").layout.title.endswith("rules")


def test_what_the_standard_preset_would_break_only_warns_and_says_what_to_do(
    tmp_path: Path,
) -> None:
    # given two programs outside of a repository, so that neither has a stamp
    root = module(tmp_path / "app", mains=("cmd/app", "cmd/other"))

    report = init(root)

    # then the preset holds, and for each that one rule warns, with the reason beside it
    text = (root / "gocost.yaml").read_text()
    assert "\npresets: [standard]\n" in text
    line = "      - {metric: build.vcs.stamped, is: true, severity: warning}\n"
    assert text.count(line) == 2
    assert "the module is not in a git repository" in plain(text)
    warned = [note.text for note in report.notes if note.level == "warning"]
    assert any("other: build.vcs.stamped is not kept today" in said for said in warned)
    first = checked(root)
    assert exit_code(first) == ExitCode.CLEAN
    assert exit_code(first, "warning") == ExitCode.VIOLATED

    # and where the line is removed, the preset's own rule blocks
    (root / "gocost.yaml").write_text(text.replace(line, ""))
    assert exit_code(checked(root)) == ExitCode.VIOLATED


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc on PATH")
def test_a_dynamic_program_is_asked_to_be_static_and_never_to_stay_dynamic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a program whose import of net brings C in
    monkeypatch.setenv("CGO_ENABLED", "1")
    root = module(tmp_path / "app")
    source = 'package main\n\nimport "net"\n\nfunc main() { _, _ = net.LookupHost("a") }\n'
    (root / "cmd/app/main.go").write_text(source)
    commit(root)

    init(root)

    # then the first check warns of it, and says what to do
    path = root / "gocost.yaml"
    text = path.read_text()
    rule = "{metric: binary.linkage, one_of: [static, static-pie], severity: warning}"
    assert rule in text
    assert "Not kept today, so it only warns: binary.linkage is dynamic" in plain(text)
    assert "CGO_ENABLED=0" in plain(text)
    assert exit_code(checked(root)) == ExitCode.CLEAN

    # and who does it is not blocked for it
    path.write_text(text.replace('-s -w"]', '-s -w"], env: {CGO_ENABLED: "0"}'))
    assert finding(checked(root), "binary.linkage").outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("-buildvcs=false", "GOFLAGS of the environment has -buildvcs=false"),
        ("-buildvcs=false -mod=mod", "unset it, or set GOFLAGS: -buildvcs=auto in the service's"),
    ],
)
def test_goflags_that_leave_the_stamp_out_are_named(
    value: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", value)
    root = module(tmp_path / "app")
    commit(root)
    init(root)
    text = plain((root / "gocost.yaml").read_text())
    assert says in text

    # and what they say to do is what helps
    path = root / "gocost.yaml"
    cured = path.read_text().replace(
        'CGO_ENABLED: "0"', 'CGO_ENABLED: "0", GOFLAGS: -buildvcs=auto'
    )
    path.write_text(cured)
    assert finding(checked(root), "build.vcs.stamped").outcome is Outcome.PASS


def test_each_main_package_is_a_service_of_its_own_name(tmp_path: Path) -> None:
    mains = ("cmd/pay", "tools/pay", "v2/log", "cmd/Größe x")
    root = module(tmp_path / "app", mains=mains[:3])
    found = {main.name: main.package for main in main_packages(root)}
    assert found == {"pay": "./cmd/pay", "tools-pay": "./tools/pay", "log": "./v2/log"}


def test_the_module_s_root_itself_may_be_the_program(tmp_path: Path) -> None:
    root = module(tmp_path / "app", "example.com/pay/v3", mains=(".",))
    assert [(main.name, main.package) for main in main_packages(root)] == [("pay", ".")]


def test_only_programs_below_the_folder_are_taken(tmp_path: Path) -> None:
    root = module(tmp_path / "app", mains=("cmd/a", "other/b"))
    assert [main.name for main in main_packages(root / "cmd")] == ["a"]
    (root / "empty").mkdir()
    with pytest.raises(UsageError, match="no main package"):
        main_packages(root / "empty")


def test_an_existing_policy_is_kept_unless_forced(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    (root / "gocost.yaml").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        init(root)
    assert (root / "gocost.yaml").read_text() == "mine"
    init(root, force=True)
    assert "services:" in (root / "gocost.yaml").read_text()


def test_tighten_brings_limits_down_and_keeps_the_rest(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    init(root, headroom=5)
    path = root / "gocost.yaml"
    before = path.read_text()
    report = tighten(path, headroom=0.05, dry_run=True)
    assert path.read_text() == before
    assert report.layout.title.endswith("gocost.yaml: 1 limit can be tightened")
    (row,) = report.tables["tightened"].rows
    report = tighten(path, headroom=0.05)
    assert report.layout.title.endswith("gocost.yaml: 1 limit tightened")
    after = path.read_text()
    strip = re.compile(r"max: [0-9.]+ \w+")
    assert strip.sub("", before) == strip.sub("", after)
    assert parse(str(row[4]), Unit.BYTES) < parse(str(row[3]), Unit.BYTES)
    assert str(row[4]) in after
    assert exit_code(checked(root)) == ExitCode.CLEAN
    assert tighten(path, headroom=0.05).tables == {}


def test_what_came_down_has_room_for_the_longest_rule_and_its_headroom(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    init(root, headroom=5)
    report = tighten(root / "gocost.yaml", dry_run=True)
    table = report.tables["tightened"]
    longest = ("gocost.yaml:21", "memory.allocation.per_request", "max", "24 KiB/op",
               "15.3 KiB/op", "10.2 KiB/op", 0.5)  # fmt: skip
    stream = io.StringIO()

    tables = {"tightened": replace(table, rows=[*table.rows, longest])}
    TextReporter().render(replace(report, tables=tables), stream, Settings(width=80))

    line = next(line for line in stream.getvalue().splitlines() if "15.3" in line)
    assert line.split()[0] == "memory.allocation.per_request"
    assert line.split()[-1] == "50%"
    assert "no room for" not in stream.getvalue()


def test_the_standard_preset_is_on_where_it_holds_today(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    commit(root)
    (root / "notes").write_text("a tree with changes is where one starts")
    init(root)
    assert "\npresets: [standard]\n" in (root / "gocost.yaml").read_text()


def test_a_service_that_does_not_build_leaves_no_empty_policy(tmp_path: Path) -> None:
    root = module(tmp_path / "app")
    (root / "cmd/app/main.go").write_text("package main\n\nfunc main() { nope(); not() }\n")
    with pytest.raises(NotMeasurableError, match=r"main\.go:3:15: undefined: nope; run ") as caught:
        init(root)
    assert "cmd/app/main.go:3:23: undefined: not" in caught.value.output
    assert not (root / "gocost.yaml").exists()


def test_one_of_two_that_does_not_build_is_told_to_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = module(tmp_path / "app", mains=("cmd/app", "cmd/broken"))
    (root / "cmd/broken/main.go").write_text("package main\n\nfunc main() { nope() }\n")
    assert run(["init", str(root)]) == ExitCode.NOT_MEASURABLE
    assert (root / "gocost.yaml").exists()
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("undefined: nope") == 1
    assert "error: broken: ./cmd/broken does not build" in said
