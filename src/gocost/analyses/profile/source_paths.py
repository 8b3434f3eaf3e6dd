"""Paths of source files as the build had them, shortened to what a person has."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final

_WHERE_IT_RAN: Final = ("/proc/self/cwd/./", "/proc/self/cwd/")


def trimmer(trim_path: str = "", source_path: str = "") -> Callable[[str], str]:
    """A function that takes the prefixes of `trim_path` from a path.

    Both are lists of folders, as PATH is. Without `trim_path` what stands before and with the name
    of a folder of `source_path` is taken, as a guess. (`trimPath` in pprof's `internal/report`.)
    """
    prefixes = [*_listed(trim_path), *_WHERE_IT_RAN]
    names = [f"/{PurePosixPath(folder).name}/" for folder in _listed(source_path)]

    def trimmed(path: str) -> str:
        if not trim_path:
            for name in names:
                at = path.find(name)
                if at >= 0:
                    return path[at + len(name) :]
        for prefix in prefixes:
            folder = prefix if prefix.endswith("/") else f"{prefix}/"
            if path.startswith(folder):
                return path[len(folder) :]
        return path

    return trimmed


def _listed(paths: str) -> list[str]:
    return [path for path in paths.split(os.pathsep) if path]
