"""Small git repositories and Go modules, made in a test's own folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

MAIN = 'package main\n\nfunc main() { println("hi") }\n'
LARGER = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hi") }\n'
"""The same and the fmt package: about 300 KiB more."""

IDENTITY = {
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.com",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path, *arguments: str) -> str:
    """What `git ARGUMENTS` prints."""
    return subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env={**os.environ, **IDENTITY},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def commit(folder: Path, message: str = "work") -> str:
    """Everything in the folder as one commit; its hash."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def module(
    folder: Path, path: str = "example.com/app", mains: tuple[str, ...] = ("cmd/app",)
) -> Path:
    """A module with main packages at `mains`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(f"module {path}\n\ngo 1.21\n")
    for main in mains:
        (folder / main).mkdir(parents=True, exist_ok=True)
        (folder / main / "main.go").write_text(MAIN)
    return folder


def policy(folder: Path, text: str) -> Path:
    """A gocost.yaml of that text (version 1 added)."""
    path = folder / "gocost.yaml"
    path.write_text("version: 1\n" + text)
    return path
