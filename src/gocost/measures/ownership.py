"""The repository that code is owned in: its CODEOWNERS and its modules, as files here have them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from gocost.analyses.ownership import Repository
from gocost.formats import codeowners, gomod
from gocost.model.errors import FormatError, GocostError, UsageError
from gocost.sources.files import is_file, read_bounded
from gocost.sources.git import repository_of
from gocost.sources.trees import module_folders

if TYPE_CHECKING:
    from gocost.formats.buildinfo import BuildInfo

PLACES: Final = (
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
)
"""Where GitHub looks, in its order; the last is GitLab's own."""
_MAX_GO_MOD: Final = 16 << 20


def repository(
    where: Path, file: Path | None = None, info: BuildInfo | None = None
) -> tuple[Repository, list[str]]:
    """The repository of a folder, and what of its CODEOWNERS is passed over.

    `file` is its CODEOWNERS, by default the one that GitHub or GitLab would read; `info` is the
    build info of the program that was measured. Raises UsageError where there is none, SourceError
    and FormatError where it cannot be read.
    """
    if file is None:
        root = _root(where)
        file = next((root / name for name in PLACES if is_file(root / name)), None)
        if file is None:
            raise UsageError(
                f"{root} has no CODEOWNERS (looked for {', '.join(PLACES)})",
                hint="name the file with --codeowners FILE",
            )
    else:
        folder = file.resolve().parent
        root = _root(folder)
        if root == folder and folder.name in (".github", "docs", ".gitlab"):
            root = folder.parent
    gitlab = True if file.resolve().parent.name == ".gitlab" else None
    try:
        rules = codeowners.decode(read_bounded(file, codeowners.MAX_BYTES), gitlab=gitlab)
    except FormatError as error:
        told = error.hint or "name a CODEOWNERS file with --codeowners FILE"
        raise FormatError(f"{file}: {error.message}", hint=told) from error
    modules, dependencies = _modules(root)
    if info is not None:
        dependencies = [each.path for each in info.deps]
        if info.main is not None and info.main.path and info.main.path not in modules:
            dependencies.append(info.main.path)
    elif not modules:
        raise UsageError(
            f"{root} has no go.mod, so that no package is known to be of it",
            hint="name the CODEOWNERS of the service's repository, or add --binary FILE",
        )
    found = Repository(
        rules=rules,
        modules=modules,
        root=root.as_posix(),
        dependencies=dependencies,
        main=info.path if info is not None else "",
    )
    return found, [f"{file}: {fault}" for fault in rules.faults]


def _root(folder: Path) -> Path:
    """The root of the git work tree that a folder is in; the folder itself where there is none."""
    try:
        found = repository_of(folder)
    except GocostError:
        found = None
    return found.root if found is not None else folder.resolve()


def _modules(root: Path) -> tuple[dict[str, str], list[str]]:
    """The modules beneath a folder with their folders, and the paths of those they require."""
    modules: dict[str, str] = {}
    required: set[str] = set()
    for folder in module_folders(root):
        try:
            found = gomod.decode(read_bounded(root / folder / "go.mod", _MAX_GO_MOD))
        except FormatError:
            continue  # a file of tests, of which the go command also makes nothing
        modules.setdefault(found.module, folder)
        required.update(path for path, _ in found.requires)
    return modules, sorted(required - modules.keys())
