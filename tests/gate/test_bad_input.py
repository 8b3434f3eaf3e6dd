"""What bad input gets: one clear line with what to do next, and the right exit code."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gate.modules import needs_go
from tests.sources.repositories import LARGER, commit, git, module, policy
from tests.sources.test_process import alive, until

pytestmark = needs_go

RULES = "rules:\n  - {metric: binary.size, max: 20 MiB}\n"
SIZE = "services:\n  app: {package: ./cmd/app}\n" + RULES


def gocost(
    folder: Path, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command line in a folder, with a cache of the test's own."""
    return subprocess.run(
        [sys.executable, "-m", "gocost", *arguments],
        cwd=folder,
        env={**os.environ, "GOCOST_CACHE": str(folder / "../gocost-cache"), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The command exited so, with one line on stderr that holds the words."""
    assert done.returncode == code, done.stderr + done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("gocost: ")
    for word in words:
        assert word in done.stderr


@pytest.fixture
def app(tmp_path: Path) -> Path:
    root = module(tmp_path / "app")
    policy(root, SIZE)
    return root


def without_go(tmp_path: Path) -> dict[str, str]:
    """A PATH with git and nothing else."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    git_path = shutil.which("git")
    assert git_path is not None
    if not (tools / "git").exists():
        (tools / "git").symlink_to(git_path)
    return {"PATH": str(tools)}


def test_no_go_on_path(app: Path, tmp_path: Path) -> None:
    done = gocost(app, "check", env=without_go(tmp_path))
    assert done.returncode == 3
    assert "install Go" in done.stdout
    init = gocost(app, "init", "--force", env=without_go(tmp_path))
    one_line(init, 3, "no program 'go' here", "install Go")


@pytest.mark.parametrize("option", ["-o", "--save"])
def test_a_report_that_has_nowhere_to_go_costs_no_measuring(option: str, app: Path) -> None:
    # given a service that would not even build
    (app / "cmd/app/main.go").write_text("package main\n\nfunc main() { nope() }\n")
    done = gocost(app, "check", option, "absent/report.json")
    one_line(done, 2, option, "there is no folder absent: make it, or name another file")
    assert done.stdout == ""


def test_not_a_module(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    (folder / "cmd/app").mkdir(parents=True)
    policy(folder, SIZE)
    done = gocost(folder, "check")
    assert done.returncode == 3
    assert "not in a Go module" in done.stdout
    one_line(gocost(folder, "init", "--force"), 2, "not in a Go module", "go mod init")
    one_line(gocost(folder, "bench"), 2, "not in a Go module", "go mod init")


def test_no_main_package(app: Path) -> None:
    (app / "cmd/app/main.go").write_text("package lib\n")
    done = gocost(app, "check")
    assert done.returncode == 3
    assert "not a main package" in done.stdout
    one_line(gocost(app, "init", "--force"), 2, "no main package")


def test_a_package_that_is_not_there_is_a_mistake_of_the_policy(app: Path) -> None:
    policy(app, SIZE.replace("./cmd/app", "./cmd/ap"))
    one_line(gocost(app, "check"), 2, "gocost.yaml:3:8", "no folder ./cmd/ap")


def test_a_build_that_fails_gives_the_compiler_s_own_message(app: Path) -> None:
    (app / "cmd/app/main.go").write_text("package main\n\nfunc main() {\n\tnope()\n\tnot()\n}\n")
    done = gocost(app, "check")
    assert done.returncode == 3
    assert "cmd/app/main.go:4:2: undefined: nope" in done.stdout
    assert "cmd/app/main.go:5:2: undefined: not" in done.stdout
    assert "error: app: the build failed, and all that was said is" in done.stdout
    # and where its one line is all, it is told once
    (app / "cmd/app/main.go").write_text("package main\n\nfunc main() { nope() }\n")
    done = gocost(app, "check")
    assert done.stdout.count("undefined: nope") == 1


def test_one_service_that_does_not_build_does_not_hide_the_others(app: Path) -> None:
    module(app, mains=("cmd/bad",))
    (app / "cmd/bad/main.go").write_text("package main\n")
    policy(
        app,
        "services:\n  app: {package: ./cmd/app}\n  bad: {package: ./cmd/bad}\n"
        "rules:\n  - {metric: binary.size, max: 1 B}\n",
    )
    done = gocost(app, "check")
    assert done.returncode == 1, "a limit is broken; that comes before what is not measurable"
    assert "over max 1 B" in done.stdout
    assert "function main is undeclared" in " ".join(done.stdout.split())


def test_a_base_that_does_not_exist(app: Path) -> None:
    one_line(gocost(app, "check", "--base", "main"), 2, "not in a git repository", "git init")
    commit(app)
    one_line(gocost(app, "check", "--base", "nope"), 2, "no commit 'nope'", "git branch -a")


def test_a_file_that_is_no_saved_report(app: Path) -> None:
    (app / "base.json").write_text("{}")
    one_line(gocost(app, "check", "--base", "base.json"), 2, "base.json", "--save REPORT.json")


def test_a_dirty_tree_is_said(app: Path) -> None:
    commit(app)
    (app / "cmd/app/main.go").write_text(LARGER)
    done = gocost(app, "check", "--base", "HEAD")
    assert done.returncode == 0
    assert "not committed" in " ".join(done.stdout.split())


def test_a_policy_with_a_wrong_key(app: Path) -> None:
    policy(app, SIZE.replace("rules:", "ruels:"))
    one_line(gocost(app, "check"), 2, "gocost.yaml:4:1", "'ruels'", "did you mean 'rules'?")
    one_line(gocost(app, "policy", "lint"), 2, "gocost.yaml:4:1")
    assert gocost(app, "check", "--exit-zero").returncode == 2


def test_no_policy_at_all(tmp_path: Path) -> None:
    one_line(gocost(tmp_path, "check"), 2, "no gocost.yaml", "gocost init")
    one_line(gocost(tmp_path, "check", "--policy", "x.yaml"), 2, "x.yaml does not exist")


def test_a_wrong_service_name(app: Path) -> None:
    one_line(gocost(app, "check", "--service", "ap"), 2, "no service 'ap'", "'app'")


def test_flags_of_the_environment_reach_the_build(app: Path) -> None:
    vendored = app / "vendor/example.com/dep"
    vendored.mkdir(parents=True)
    (vendored / "dep.go").write_text('package dep\n\nconst Word = "v"\n')
    (app / "vendor/modules.txt").write_text(
        "# example.com/dep v1.0.0\n## explicit; go 1.21\nexample.com/dep\n"
    )
    (app / "go.mod").write_text(
        "module example.com/app\n\ngo 1.21\n\nrequire example.com/dep v1.0.0\n"
    )
    (app / "cmd/app/main.go").write_text(
        'package main\n\nimport "example.com/dep"\n\nfunc main() { println(dep.Word) }\n'
    )
    commit(app)
    env = {"GOFLAGS": "-mod=vendor", "GOPROXY": "off"}
    assert gocost(app, "check", "--base", "HEAD", env=env).returncode == 0
    assert gocost(app, "init", "--force", env=env).returncode == 0


def test_a_policy_above_several_modules_of_a_workspace(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    module(root / "a", "example.com/a")
    module(root / "b", "example.com/b")
    (root / "go.work").write_text("go 1.21\n\nuse (\n\t./a\n\t./b\n)\n")
    commit(root)
    done = gocost(root, "init")
    assert done.returncode == 0, done.stderr
    text = (root / "gocost.yaml").read_text()
    assert "package: ./a/cmd/app" in text
    assert "package: ./b/cmd/app" in text
    assert gocost(root, "check", "--base", "HEAD").returncode == 0
    (root / "go.work").unlink()
    assert gocost(root, "check").returncode == 0, "without the workspace, each in its module"


def test_files_built_elsewhere(app: Path) -> None:
    policy(app, "services:\n  app: {build: {binary: out/app}}\n" + RULES)
    done = gocost(app, "check")
    assert done.returncode == 3
    assert "no file out/app" in done.stdout
    (app / "out").mkdir()
    subprocess.run(["go", "build", "-o", "out/app", "./cmd/app"], cwd=app, check=True)
    assert gocost(app, "check").returncode == 0


def test_a_command_of_one_s_own_and_generators(app: Path) -> None:
    (app / "cmd/app/main.go").unlink()
    build = (
        "prepare: [[sh, -c, \"printf 'package main\\nfunc main(){}\\n' > cmd/app/main.go\"]], "
        'command: [go, build, -o, "{output}", ./cmd/app]'
    )
    policy(app, "services:\n  app: {package: ./cmd/app, build: {" + build + "}}\n" + RULES)
    assert gocost(app, "check").returncode == 0
    for command, says in (
        ('[sh, -c, "echo sorry >&2; exit 4", "{output}"]', "status 4: sorry"),
        ('["true", "{output}"]', "wrote no file"),
        ('[no-such-tool, "{output}"]', "no program 'no-such-tool'"),
    ):
        policy(app, f"services:\n  app: {{build: {{command: {command}}}}}\n" + RULES)
        done = gocost(app, "check")
        assert done.returncode == 3
        assert says in " ".join(done.stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_check_that_is_ended_leaves_nothing_behind(app: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = f'[sh, -c, "echo $$ > {tmp_path}/pid; sleep 600", "{{output}}"]'
    policy(app, f"services:\n  app: {{build: {{command: {command}}}}}\n" + RULES)
    env = {**os.environ, "TMPDIR": str(scratch), "GOCOST_CACHE": str(tmp_path / "cache")}
    marker = tmp_path / "pid"
    with subprocess.Popen(
        [sys.executable, "-m", "gocost", "check"], cwd=app, env=env, start_new_session=True
    ) as check:
        assert until(lambda: marker.exists() and marker.read_text().strip() != "")
        check.send_signal(signal.SIGTERM)
        assert check.wait(30) == 128 + signal.SIGTERM
    assert until(lambda: not alive(int(marker.read_text())))
    assert list(scratch.iterdir()) == []


def test_git_that_is_not_there_only_costs_the_commit(app: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    go_path = shutil.which("go")
    assert go_path is not None
    (tools / "go").symlink_to(go_path)
    env = {"PATH": str(tools), "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    assert gocost(app, "check", env=env).returncode == 0
    one_line(gocost(app, "check", "--base", "main", env=env), 3, "no program 'git'", "install git")


def test_a_saved_report_that_is_not_there(app: Path) -> None:
    commit(app)
    one_line(
        gocost(app, "check", "--base", "base.json"), 2, "no file base.json", "--save base.json"
    )
    # a branch may be called so
    git(app, "branch", "v1.json")
    assert gocost(app, "check", "--base", "v1.json").returncode == 0


def test_a_saved_report_serves_as_a_base(app: Path) -> None:
    policy(app, SIZE.replace("max: 20 MiB", "max: 20 MiB, growth: 0%"))
    assert gocost(app, "check", "--save", "base.json").returncode == 0
    assert gocost(app, "check", "--base", "base.json").returncode == 0
    (app / "cmd/app/main.go").write_text(LARGER)
    assert gocost(app, "check", "--base", "base.json").returncode == 1
    assert git(app.parent, "--version")
