"""The GitHub action, the GitLab template and the pre-commit hooks, run as far as one machine goes.

The steps' own scripts run in a real repository with a real remote; only what installs gocost from
the network is left out, because the gocost under test is installed already.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gocost.reporters.markdown import MARKER

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / "deploy/github/gocost.yml"
GITLAB = ROOT / "deploy/gitlab/gocost.gitlab-ci.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
PROGRAMS = Path(sys.executable).parent

GO = "package main\n\nfunc main() { println(`tiny`) }\n"
POLICY = """\
version: 1
services:
  tiny:
    package: .
    rules:
      - {metric: binary.size, max: LIMIT}
      - {metric: binary.linkage, is: static}
"""


def load(path: Path) -> Any:
    """A YAML file; `on` is a word in workflows and a boolean in YAML 1.1."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(content, dict) and True in content:
        content["on"] = content.pop(True)
    return content


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (ACTION, "github-actions.json"),
        (WORKFLOW, "github-workflows.json"),
        (GITLAB, "gitlab-ci.json"),
    ],
)
def test_the_files_keep_to_their_published_schemas(path: Path, schema: str) -> None:
    published = files("check_jsonschema") / "builtin_schemas" / "vendor" / schema
    rules = json.loads(published.read_text(encoding="utf-8"))

    jsonschema.validators.validator_for(rules)(rules).validate(load(path))


def test_no_script_has_an_expression_pasted_into_it() -> None:
    scripts = [step["run"] for step in load(ACTION)["runs"]["steps"] if "run" in step]
    scripts += [
        step["run"]
        for job in load(WORKFLOW)["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]

    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_the_workflow_uses_inputs_and_outputs_that_the_action_has() -> None:
    action = load(ACTION)
    text = WORKFLOW.read_text(encoding="utf-8")
    (step,) = [s for s in load(WORKFLOW)["jobs"]["gocost"]["steps"] if s.get("id") == "gocost"]

    assert set(step.get("with", {})) <= set(action["inputs"])
    assert set(re.findall(r"steps\.gocost\.outputs\.([\w-]+)", text)) <= set(action["outputs"])


@dataclass(frozen=True)
class Clone:
    """A clone on a branch of its own, with `origin` beside it, and a folder for a runner."""

    folder: Path
    temp: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What a runner sets."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "CI_"))}
        return {
            **kept,
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "GITHUB_PATH": str(self.temp / "path"),
            **more,
        }

    def outputs(self) -> dict[str, str]:
        """What the steps said."""
        lines = (self.temp / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


def git(folder: Path, *arguments: str) -> None:
    """Run git there, as somebody."""
    name = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


def cloned(tmp_path: Path, limit: str, inside: str = ".") -> Clone:
    """A repository with a policy in `inside`, cloned, with one commit on a branch."""
    for program in ("go", "git", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} on PATH")
    origin = tmp_path / "origin"
    module = origin / inside
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module example.com/tiny\n\ngo 1.21\n")
    (module / "main.go").write_text(GO)
    (module / "gocost.yaml").write_text(POLICY.replace("LIMIT", limit))
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "one")
    git(tmp_path, "clone", "-q", str(origin), "clone")
    clone = tmp_path / "clone"
    git(clone, "switch", "-q", "-c", "change")
    (clone / inside / "main.go").write_text(GO.replace("tiny", "tiny, but changed"))
    git(clone, "commit", "-q", "-a", "-m", "two")
    temp = tmp_path / "runner"
    temp.mkdir()
    return Clone(clone, temp)


def run_step(clone: Clone, name: str, inputs: dict[str, str], **more: str) -> tuple[int, str]:
    """One step of the action as a runner carries it out; its exit code and what it printed."""
    action = load(ACTION)
    (step,) = [step for step in action["runs"]["steps"] if step["name"] == name]
    values = {f"inputs.{k}": str(v.get("default", "")) for k, v in action["inputs"].items()}
    values |= {f"inputs.{name}": value for name, value in inputs.items()}
    values["github.action_path"] = str(ROOT)
    if (clone.temp / "output").exists():
        values |= {f"steps.check.outputs.{k}": v for k, v in clone.outputs().items()}

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda match: values[match[1]], text)

    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=clone.folder / filled(step.get("working-directory", ".")),
        env=clone.environment(**{k: filled(v) for k, v in step.get("env", {}).items()}, **more),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_action_blocks_a_broken_limit_and_tells_everybody(tmp_path: Path) -> None:
    clone = cloned(tmp_path, "100 kB")

    code, said = run_step(clone, "Check", {}, GITHUB_BASE_REF="main")

    assert code == 0, said
    outputs = clone.outputs()
    assert outputs["exit-code"] == "1"
    assert re.search(
        r"^::error file=gocost\.yaml,line=6,col=\d+,title=gocost%3A binary", said, re.M
    )
    comment = Path(outputs["comment"]).read_text(encoding="utf-8")
    assert comment.startswith(MARKER)
    assert "binary.size" in comment
    assert "Changed against the base" in comment
    summary = (clone.temp / "summary").read_text(encoding="utf-8")
    assert "1 rule violated" in summary
    sarif = json.loads(Path(outputs["sarif"]).read_text(encoding="utf-8"))
    assert [r["ruleId"] for r in sarif["runs"][0]["results"]] == ["binary.size"]
    assert "<canvas" not in said
    assert Path(outputs["html"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run_step(clone, "Verdict", {})[0] == 1


def test_the_action_passes_what_is_kept_in_a_folder_below(tmp_path: Path) -> None:
    clone = cloned(tmp_path, "20 MiB", inside="services/tiny")

    code, said = run_step(
        clone,
        "Check",
        {
            "working-directory": "services/tiny",
            "base": "none",
            "arguments": "--offline  --service tiny",
        },
    )

    assert code == 0, said
    assert clone.outputs()["exit-code"] == "0"
    assert "::error" not in said
    assert run_step(clone, "Verdict", {})[0] == 0


def test_the_action_puts_annotations_under_the_folder(tmp_path: Path) -> None:
    clone = cloned(tmp_path, "100 kB", inside="services/tiny")

    _, said = run_step(clone, "Check", {"working-directory": "services/tiny", "base": "none"})

    assert "::error file=services/tiny/gocost.yaml,line=6" in said


def test_the_action_fails_at_once_where_there_is_no_report(tmp_path: Path) -> None:
    clone = cloned(tmp_path, "100 kB")
    (clone.folder / "gocost.yaml").write_text("version: 1\nservces: {}\n")

    code, said = run_step(clone, "Check", {"base": "none"})

    assert code == 2
    assert "services" in said
    assert clone.outputs() == {"exit-code": "2"}


def test_arguments_are_words_and_never_commands(tmp_path: Path) -> None:
    clone = cloned(tmp_path, "100 kB")
    attack = "--service $(touch${IFS}owned) ;touch owned"

    code, _ = run_step(clone, "Check", {"base": "none", "arguments": attack, "fail-on": "error"})

    assert code == 2
    assert not (clone.folder / "owned").exists()


@pytest.mark.parametrize(("limit", "code"), [("100 kB", 1), ("20 MiB", 0)])
def test_the_gitlab_job_leaves_its_reports(tmp_path: Path, limit: str, code: int) -> None:
    clone = cloned(tmp_path, limit)
    job = load(GITLAB)
    (clone.folder / ".gocost").symlink_to(PROGRAMS.parent)
    variables = {name: str(value) for name, value in job["variables"].items()}
    base = subprocess.run(
        ["git", "rev-parse", "origin/main"],
        cwd=clone.folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    exclude, script = job["gocost"]["before_script"][0], "\n".join(job["gocost"]["script"])

    done = subprocess.run(
        ["sh", "-e", "-c", f"{exclude}\n{script}"],
        cwd=clone.folder,
        env=clone.environment(
            **variables,
            CI_PROJECT_DIR=str(clone.folder),
            CI_MERGE_REQUEST_DIFF_BASE_SHA=base,
        ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stdout + done.stderr
    reports = job["gocost"]["artifacts"]["reports"]
    quality = json.loads((clone.folder / reports["codequality"]).read_text(encoding="utf-8"))
    assert [issue["check_name"] for issue in quality] == ["binary.size"] * code
    assert (clone.folder / reports["junit"]).read_text(encoding="utf-8").startswith("<?xml")
    assert (clone.folder / "gocost-report/comment.md").is_file()


def test_the_gitlab_jobs_own_files_do_not_dirty_the_tree(tmp_path: Path) -> None:
    clone = cloned(tmp_path, "20 MiB")
    for folder in (".gocost", "gocost-report"):
        (clone.folder / folder).mkdir()
        (clone.folder / folder / "file").write_text("x")

    subprocess.run(
        ["sh", "-e", "-c", load(GITLAB)["gocost"]["before_script"][0]],
        env=clone.environment(CI_PROJECT_DIR=str(clone.folder)),
        check=True,
    )

    status = ["git", "status", "--porcelain"]
    assert subprocess.run(status, cwd=clone.folder, capture_output=True, check=True).stdout == b""


@pytest.mark.parametrize(
    ("hook", "limit", "code"),
    [
        ("gocost-policy-lint", "20 MiB", 0),
        ("gocost-policy-lint", "20 bananas", 2),
        ("gocost-check", "20 MiB", 0),
        ("gocost-check", "100 kB", 1),
    ],
)
def test_the_pre_commit_hooks_judge(hook: str, limit: str, code: int, tmp_path: Path) -> None:
    clone = cloned(tmp_path, limit)
    (entry,) = [entry for entry in load(HOOKS) if entry["id"] == hook]

    done = subprocess.run(
        entry["entry"].split(),
        cwd=clone.folder,
        env=clone.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("hook", "path", "runs"),
    [
        ("gocost-policy-lint", "gocost.yaml", True),
        ("gocost-policy-lint", "services/pay/gocost.yml", True),
        ("gocost-policy-lint", "docs/notgocost.yaml", False),
        ("gocost-check", "internal/store.go", True),
        ("gocost-check", "go.sum", True),
        ("gocost-check", "README.md", False),
    ],
)
def test_the_hooks_run_on_the_files_that_matter(hook: str, path: str, runs: bool) -> None:
    (entry,) = [entry for entry in load(HOOKS) if entry["id"] == hook]

    assert bool(re.search(entry["files"], path)) == runs
    assert entry["pass_filenames"] is False
    assert entry["language"] == "python"
