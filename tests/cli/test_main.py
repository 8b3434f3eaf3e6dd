"""The command line's frame: what it imports, how it refuses, how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gocost._version import VERSION
from gocost.cli import index, indexing
from gocost.cli.main import run
from gocost.model.errors import FormatError

HEAVY = {"numpy", "yaml", "rich", "pyarrow", "httpx", "jinja2", "msgspec"}


def gocost(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gocost", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_the_index_is_what_the_modules_say() -> None:
    assert Path(index.__file__).read_text(encoding="utf-8") == indexing.render()


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(flag: str) -> None:
    script = (
        "import json, sys\nfrom gocost.cli.main import run\n"
        f"code = run([{flag!r}])\nprint(json.dumps([code, sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert not HEAVY & set(modules)


def test_version() -> None:
    done = gocost("--version")
    assert (done.returncode, done.stdout) == (0, f"gocost {VERSION}\n")


def test_help_lists_every_command_in_its_group() -> None:
    text = gocost("--help").stdout
    for entry in index.COMMANDS:
        assert entry.name in text
        assert entry.group in text


@pytest.mark.parametrize("arguments", [(), ("policy",)])
def test_a_group_without_a_command_shows_its_help_as_it_is(arguments: tuple[str, ...]) -> None:
    done = gocost(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == gocost(*arguments, "--help").stdout


def test_a_wrong_command_is_named_with_the_nearest_right_one() -> None:
    done = gocost("siz")
    assert done.returncode == 2
    assert done.stderr == "gocost: there is no command 'siz'; did you mean `gocost size`?\n"


def test_a_wrong_option_says_where_help_is() -> None:
    done = gocost("size", "--sise")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "--sise" in done.stderr


@pytest.mark.parametrize("arguments", ["--help", "explain", "explain --format json"])
def test_output_piped_to_a_reader_that_leaves_is_no_error(arguments: str) -> None:
    done = read_by_nobody(f"{sys.executable} -m gocost {arguments}")
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_reader_that_leaves_changes_no_verdict_and_loses_no_saved_report(tmp_path: Path) -> None:
    policy = (
        "version: 1\nservices: {x: {package: ., build: {binary: absent}}}\n"
        "rules: [{metric: binary.size, max: 1 MiB}]\n"
    )
    (tmp_path / "gocost.yaml").write_text(policy)
    done = read_by_nobody(f"{sys.executable} -m gocost check --save saved.json", tmp_path)
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert json.loads((tmp_path / "saved.json").read_text())["command"] == "check"


def read_by_nobody(command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What a shell says is the exit code of `command`, whose reader has left before it writes."""
    script = f"exec 3>&1; {{ {command}; echo $? >&3; }} | :"
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=cwd, check=False
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    ("arguments", "redirected", "code", "said"),
    [
        ("explain", ">/dev/full", 2, "No space left on device; name a file with -o"),
        ("explain --format json", ">/dev/full", 2, "name a file with -o"),
        ("explain", ">&-", 2, "standard output is closed; name a file with -o"),
        ("--help", ">/dev/full", 3, "no space is left"),
    ],
)
def test_a_standard_output_that_takes_nothing_is_no_bug_of_ours(
    arguments: str, redirected: str, code: int, said: str
) -> None:
    command = f"{sys.executable} -m gocost {arguments} {redirected}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_closed_standard_error_changes_no_exit_code() -> None:
    command = f"{sys.executable} -m gocost size /absent 2>&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")


def test_every_function_of_the_api_is_offered_by_the_package() -> None:
    import gocost as package

    assert dir(package)
    for name in dir(package):
        assert callable(getattr(package, name))
    with pytest.raises(AttributeError, match="has no function 'sizes'; it has"):
        package.__getattr__("sizes")


@pytest.mark.parametrize("more", [[], ["--debug"]])
def test_an_error_that_nobody_foresaw_is_said_to_be_ours(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def broken() -> None:
        raise KeyError("rows")

    assert run(more, broken) == 4

    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("gocost: this is a bug in gocost: KeyError: 'rows'")
    assert ("Traceback" in said[0]) is bool(more)
    assert said[-1].endswith("run again with --debug and report what it shows") is not bool(more)


def test_what_a_hostile_file_is_called_by_drives_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def refusing() -> None:
        raise FormatError("this is a profile of cpu\x1b[2J\u202e\n::error::x, not of heap")

    assert run([], refusing) == 3
    assert capsys.readouterr().err == (
        "gocost: this is a profile of cpu\\x1b[2J\\u202e \\x3a:error::x, not of heap\n"
    )
