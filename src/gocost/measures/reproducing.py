"""Whether a build is reproducible: built here, and from a copy elsewhere with an empty cache.

A build that shares the Go build cache with the first would only be given the first's objects again,
and one in the same folder would hide that paths of the machine are in the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gocost.formats.executable import Executable, Extent, Section, open_executable
from gocost.model.errors import NotMeasurableError
from gocost.model.service import Service
from gocost.sources.files import mapped
from gocost.sources.go_command import NO_STAMP, Go, go_in, place_of
from gocost.sources.scratch import scratch
from gocost.sources.trees import copied


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two builds of one program. `part` is the first part of the file that differs."""

    same: bool
    part: str = ""
    sizes: tuple[int, int] = (0, 0)


def build_twice(
    service: Service, directory: Path, *, timeout: float, progress: Callable[[str], None]
) -> Comparison:
    """Builds the service where it lies and from a copy, and compares the files byte by byte.

    Both are built without a VCS stamp, which a copy cannot have. Raises NotMeasurableError where
    the policy builds it in another way, GocostError where it does not build or cannot be copied.
    """
    build = service.build
    if build.binary or build.command or build.prepare:
        raise NotMeasurableError(
            "it is not built by `go build` alone", hint="rebuild and compare it in your own way"
        )
    env = dict(build.env)
    if build.platform:
        env["GOOS"], _, env["GOARCH"] = build.platform.partition("/")
    folder, package = place_of(directory, service.package)
    here = go_in(folder, env)
    flags = (*build.flags, NO_STAMP)
    with scratch("rebuild") as work:
        first, second = work / "first", work / "second"
        progress(f"{service.name}: building once more")
        here.build(package, first, flags=flags, timeout=timeout)
        root = _root(here, folder)
        with copied(root) as copy:
            elsewhere = go_in(
                copy / folder.resolve().relative_to(root),
                {**env, "GOCACHE": str(Path(work) / "cache")},
            )
            progress(f"{service.name}: building a copy with an empty cache")
            elsewhere.build(package, second, flags=flags, timeout=timeout)
        return compare(first, second)


def compare(first: Path, second: Path) -> Comparison:
    """Two executables byte by byte."""
    with mapped(first) as one, mapped(second) as two:
        images = open_executable(one), open_executable(two)
        sizes = (images[0].size, images[1].size)
        same = sizes[0] == sizes[1] and bool(np.array_equal(images[0].data, images[1].data))
        part = "" if same else _first_difference(*images)
        del images
    return Comparison(same, part, sizes)


def _first_difference(one: Executable, two: Executable) -> str:
    """The first section, in the file's order, whose bytes differ; a header where none does.

    Build ids are hashes of the rest: they say that something differs, not what, and come last.
    """
    ordered = sorted(one.sections, key=lambda part: (part.kind == "note", part.offset))
    twins = {(part.segment, part.name): part for part in two.sections}
    for section in ordered:
        twin = twins.get((section.segment, section.name))
        if twin is None or not _equal(one, section, two, twin):
            return section.name
    for extent, other in zip(one.extents, two.extents, strict=False):
        if not _equal(one, extent, two, other):
            return extent.name
    return "padding between sections"


def _equal(
    one: Executable, part: Section | Extent, two: Executable, twin: Section | Extent
) -> bool:
    return bool(np.array_equal(one.data[part.offset : part.end], two.data[twin.offset : twin.end]))


def _root(go: Go, folder: Path) -> Path:
    """The folder that holds all the build reads: module, workspace, local replacements."""
    places = go.environment("GOMOD", "GOWORK")
    files = [Path(place) for place in places.values() if place and place not in ("off", os.devnull)]
    if not files:
        raise NotMeasurableError(f"{folder} is not in a Go module", hint="run it in one")
    folders = [path.parent.resolve() for path in files]
    for path in files:
        kind = "work" if path.suffix == ".work" else "mod"
        said = json.loads(go.output(kind, "edit", "-json", str(path)))
        local = [use["DiskPath"] for use in said.get("Use") or ()]
        local += [
            swap["New"]["Path"]
            for swap in said.get("Replace") or ()
            if "Version" not in swap["New"]
        ]
        folders += [(path.parent / name).resolve() for name in local]
    return Path(os.path.commonpath(folders))
