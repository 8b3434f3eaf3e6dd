"""Git: where a branch left its base, and that base checked out away from the user's tree.

A base is checked out by `git clone --shared` into a folder outside the repository: a worktree gets
no VCS stamp from Go before 1.27, and one inside the repository makes the user's tree `modified`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gocost.model.errors import GocostError, SourceError, UsageError
from gocost.sources import process
from gocost.sources.scratch import scratch

MISSING = "install git"

# A hook of the user's that runs on every checkout is not meant for ours.
_NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    # `git status` would otherwise refresh the index on the side: the user's tree is left alone.
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Repository:
    """A git work tree."""

    root: Path

    def output(self, *arguments: str) -> str:
        """What `git ARGUMENTS` prints, stripped. Raises SourceError with its complaint."""
        done = self._run(*arguments)
        if not done.ok:
            complaint = done.stderr.strip().splitlines() or ["it said nothing"]
            raise SourceError(
                f"`git {' '.join(arguments[:2])}` failed: {complaint[-1]}",
                hint=f"run it in {self.root} to see all of it",
            )
        return done.stdout.strip()

    def commit(self, ref: str) -> str:
        """The full hash of the commit that `ref` names. Raises UsageError for an unknown ref."""
        done = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
        )
        if not done.ok:
            hint = "check its name with `git branch -a`"
            remotes = self.output("remote").split()
            remote, slash, branch = ref.partition("/")
            if slash and remote in remotes:
                # Both ends are named: a clone of one branch keeps no other under its own name.
                hint = f"fetch it: git fetch {remote} {branch}:refs/remotes/{ref}"
            elif self.shallow():
                remote = (remotes or ["origin"])[0]
                hint = f"where it is older than this shallow clone: git fetch --unshallow {remote}"
            raise UsageError(f"there is no commit {ref!r} in {self.root}", hint=hint)
        return done.stdout.strip()

    def merge_base(self, ref: str, head: str = "HEAD") -> str:
        """The commit where `head` left `ref`.

        Raises UsageError: in a shallow clone that does not reach it, with the fetch to type.
        """
        base = self.commit(ref)
        done = self._run("merge-base", base, self.commit(head))
        if done.ok and done.stdout.strip():
            return done.stdout.strip()
        if self.shallow():
            remote = (self.output("remote").split() or ["origin"])[0]
            raise UsageError(
                f"this clone is too shallow to know where HEAD left {ref}",
                hint=f"fetch the history: git fetch --unshallow {remote}",
            )
        raise UsageError(
            f"HEAD and {ref} have no commit in common", hint="name another base with --base"
        )

    def shallow(self) -> bool:
        """True for a clone whose history was cut off."""
        return self.output("rev-parse", "--is-shallow-repository") == "true"

    def dirty(self) -> bool:
        """True where tracked files differ from HEAD or untracked ones lie about."""
        return bool(self.output("status", "--porcelain", "--untracked-files=normal"))

    def head(self) -> str:
        """The hash of HEAD."""
        return self.commit("HEAD")

    def _run(self, *arguments: str) -> process.Completed:
        return process.run(
            ["git", *_NO_HOOKS, *arguments],
            cwd=self.root,
            env=_ENVIRONMENT,
            timeout=300,
            missing_hint=MISSING,
        )


def repository_of(directory: Path) -> Repository | None:
    """The repository that `directory` lies in, or None. Raises SourceError where git refuses it."""
    done = process.run(
        ["git", "rev-parse", "--show-toplevel"],
        cwd=directory,
        env=_ENVIRONMENT,
        timeout=60,
        missing_hint=MISSING,
    )
    if not done.ok and "dubious ownership" in done.stderr:
        raise SourceError(
            f"git refuses {directory}, which belongs to another user",
            hint=f"git config --global --add safe.directory {directory.resolve()}",
        )
    return Repository(Path(done.stdout.strip())) if done.ok and done.stdout.strip() else None


def is_ref(directory: Path, name: str) -> bool:
    """Whether git knows `name` in the repository of `directory`; False where there is no git.

    `go build` leaves files that are named like branches, so that a name may be both.
    """
    try:
        repository = repository_of(directory)
        return repository is not None and bool(repository.commit(name))
    except GocostError:
        return False


@contextmanager
def checked_out(repository: Repository, commit: str) -> Iterator[Path]:
    """A clone of the repository at `commit`, outside its tree, removed afterwards.

    It shares the objects of the original, so it costs a checkout and no copy of the history.
    """
    with scratch("clone") as folder:
        clone = folder / repository.root.name
        clone_command = ("clone", "--quiet", "--shared", "--no-checkout", ".", str(clone))
        repository.output(*clone_command)
        Repository(clone).output("checkout", "--quiet", "--detach", commit)
        yield clone
