"""Git: where a branch left its base, and that base away from the user's tree; all real."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.model.errors import SourceError, UsageError
from gocost.sources.git import Repository, checked_out, repository_of
from tests.sources.repositories import commit, git


@pytest.fixture
def branched(tmp_path: Path) -> tuple[Path, str]:
    """A branch `topic` with two commits of its own, checked out, and where it left main."""
    root = tmp_path / "repo"
    (root / "deep").mkdir(parents=True)
    (root / "deep" / "file").write_text("base\n")
    base = commit(root, "base")
    git(root, "checkout", "--quiet", "-b", "topic")
    (root / "deep" / "file").write_text("topic\n")
    commit(root, "topic")
    git(root, "checkout", "--quiet", "main")
    (root / "other").write_text("main goes on\n")
    commit(root, "main")
    git(root, "checkout", "--quiet", "topic")
    return root, base


def found(folder: Path) -> Repository:
    repository = repository_of(folder)
    assert repository is not None
    return repository


def test_the_merge_base_is_where_the_branch_left(branched: tuple[Path, str]) -> None:
    root, base = branched
    repository = found(root / "deep")
    assert repository.root.resolve() == root.resolve()
    assert repository.merge_base("main") == base
    assert repository.merge_base("HEAD") == repository.head()


def test_a_ref_that_does_not_exist_says_what_to_type(branched: tuple[Path, str]) -> None:
    root, _ = branched
    with pytest.raises(UsageError, match=r"no commit 'nope'.*git branch -a"):
        found(root).merge_base("nope")
    git(root, "remote", "add", "origin", str(root))
    with pytest.raises(UsageError, match="git fetch origin nope:refs/remotes/origin/nope"):
        found(root).merge_base("origin/nope")


@pytest.mark.parametrize("ref", ["--help", "-n1", "", "a b", "main..topic", "HEAD^^^^^^"])
def test_a_ref_is_never_an_option(branched: tuple[Path, str], ref: str) -> None:
    with pytest.raises(UsageError, match="no commit"):
        found(branched[0]).merge_base(ref)


def test_histories_without_a_common_commit(branched: tuple[Path, str]) -> None:
    root, _ = branched
    git(root, "checkout", "--quiet", "--orphan", "alone")
    commit(root, "alone")
    with pytest.raises(UsageError, match="no commit in common"):
        found(root).merge_base("main")


def test_a_shallow_clone_gets_the_fetch_to_type(branched: tuple[Path, str], tmp_path: Path) -> None:
    root, _ = branched
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", root.as_uri(), "shallow")
    assert found(shallow).shallow()
    with pytest.raises(UsageError, match="git fetch --unshallow origin"):
        found(shallow).merge_base("origin/main")


def test_what_a_shallow_clone_is_told_to_type_leads_to_the_base(
    branched: tuple[Path, str], tmp_path: Path
) -> None:
    root, base = branched
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=topic", root.as_uri(), "shallow")
    repository = found(tmp_path / "shallow")
    typed: list[str] = []
    while len(typed) < 3:
        try:
            assert repository.merge_base("origin/main") == base
        except UsageError as error:
            typed.append(error.hint.partition("git ")[2])
            git(repository.root, *typed[-1].split())
        else:
            break
    assert typed == [
        "fetch origin main:refs/remotes/origin/main",
        "fetch --unshallow origin",
    ]


def test_a_commit_that_is_older_than_a_shallow_clone(
    branched: tuple[Path, str], tmp_path: Path
) -> None:
    root, base = branched
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=topic", root.as_uri(), "shallow")
    for ref in ("HEAD~1", base):
        with pytest.raises(UsageError, match="git fetch --unshallow origin"):
            found(tmp_path / "shallow").merge_base(ref)


def test_the_base_is_checked_out_outside_and_removed(branched: tuple[Path, str]) -> None:
    root, base = branched
    before = git(root, "status", "--porcelain"), git(root, "worktree", "list")
    index = (root / ".git" / "index").read_bytes()
    with checked_out(found(root), base) as clone:
        assert root not in clone.parents
        assert (clone / "deep" / "file").read_text() == "base\n"
        assert clone.name == root.name
        assert not found(clone).dirty()
    assert not clone.parent.exists()
    assert (git(root, "status", "--porcelain"), git(root, "worktree", "list")) == before
    assert (root / ".git" / "index").read_bytes() == index


def test_a_base_of_a_shallow_clone_that_reaches_it(
    branched: tuple[Path, str], tmp_path: Path
) -> None:
    root, base = branched
    git(tmp_path, "clone", "--quiet", "--depth=2", "--branch=topic", root.as_uri(), "shallow")
    repository = found(tmp_path / "shallow")
    with checked_out(repository, base) as clone:
        assert (clone / "deep" / "file").read_text() == "base\n"


def test_hooks_of_the_user_do_not_run(branched: tuple[Path, str], tmp_path: Path) -> None:
    root, base = branched
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (hooks / "post-checkout").chmod(0o755)
    git(root, "config", "core.hooksPath", str(hooks))
    with checked_out(found(root), base):
        assert not (tmp_path / "ran").exists()


def test_dirty_means_changed_or_untracked(branched: tuple[Path, str]) -> None:
    root, _ = branched
    assert not found(root).dirty()
    (root / "new").write_text("")
    assert found(root).dirty()


def test_a_folder_without_a_repository_has_none(tmp_path: Path) -> None:
    assert repository_of(tmp_path) is None


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="no program 'git' here; install git"):
        repository_of(tmp_path)
