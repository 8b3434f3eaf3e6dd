"""`gocost portrait --run` on a policy's service, against the base of a real repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_main import gocost
from tests.fixtures.binaries import PROGRAMS
from tests.fixtures.watched import LINUX, REQUESTS, watched

pytestmark = LINUX
POLICY = f"""version: 1
services:
  watched:
    package: .
    run:
      command: ["{{binary}}", "-listen=127.0.0.1:{{port}}", "-pages=vars,pprof"]
      ready: "http://127.0.0.1:{{port}}/healthz"
      load:
        command: ["{sys.executable}", "{REQUESTS}", "http://127.0.0.1:{{port}}/work", "40", "1"]
        duration: 1 s
      settle: 200 ms
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The program with a policy, and a later commit that leaves a goroutine with each request."""
    watched()  # skips without Go
    folder = tmp_path / "service"
    shutil.copytree(PROGRAMS / "watched", folder)
    (folder / "gocost.yaml").write_text(POLICY)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "a service")
    source = folder / "main.go"
    leaking = source.read_text().replace("if *leak {", "if !*leak {")
    assert leaking != source.read_text()
    source.write_text(leaking)
    git(folder, "commit", "-q", "-a", "-m", "a leak")
    return folder


def test_base_and_head_of_a_repository(repository: Path) -> None:
    done = gocost(
        *("portrait", "--run", "--base", "HEAD~1", "--rounds", "1", "--format", "json"),
        cwd=repository,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    leaked = next(c for c in report["changes"] if c["metric"] == "goroutines.leaked")
    assert leaked["base"] < 10
    assert leaked["head"] >= 40
    assert leaked["verdict"] == "unknown"  # one round a side is too little to call it
    assert report["subject"]["service"] == "watched"
    assert git(repository, "status", "--porcelain") == ""


def test_which_service(repository: Path) -> None:
    policy = repository / "gocost.yaml"
    second = POLICY.split("services:\n")[1].replace("watched:", "second:")
    policy.write_text(POLICY + second)
    done = gocost("portrait", cwd=repository)
    assert done.returncode == 2
    assert "--service watched|second" in done.stderr
    policy.write_text("version: 1\nservices: {watched: {package: .}}\n")
    done = gocost("portrait", cwd=repository)
    assert done.returncode == 2
    assert "has a `run:`" in done.stderr


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout
