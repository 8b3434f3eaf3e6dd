"""Profiles whose code has no names get them from the executable that was profiled."""

from __future__ import annotations

from pathlib import Path

from gocost.analyses.profile.symbols import belonging, build_id, nameless, symbolised
from gocost.formats.go_binary import GoBinary
from gocost.formats.pclntab_frames import Symbolizer
from gocost.formats.pprof.profile import Profile
from gocost.measures.executables import opened
from gocost.model.errors import GocostError, UsageError
from gocost.model.report import Note
from gocost.sources.files import is_file


def named(profile: Profile, binary: GoBinary, path: Path) -> tuple[Profile, list[Note]]:
    """The profile with names from the executable at `path`, and what of it has none after that.

    Raises UsageError where the executable is another build than the one that was profiled, and
    FormatError where it has no tables to read.
    """
    bare = nameless(profile)
    missing = int(bare.sum())
    if not missing:
        return profile, []
    found = belonging(profile, binary.image, path.name)
    if found.other_build is not None:
        raise other_build(path, *found.other_build)
    profile, count = symbolised(profile, binary.image, found.rows, Symbolizer(binary.image).frames)
    told = f"{count:,} of {missing:,} addresses without names were named by {path}"
    return profile, [Note("info" if count else "warning", told)]


def program_here(profile: Profile) -> Path | None:
    """The executable that the profile names, where it is at that path still and is that build.

    Without a build id in the profile (Go writes one from 1.24 on, linkers of C always did) nothing
    says that it is, so that it has to be named.
    """
    strings, mappings = profile.strings, profile.mappings
    for file, build in zip(mappings.file.tolist(), mappings.build_id.tolist(), strict=True):
        path, wanted = Path(strings[file]), strings[build].lower()
        if not wanted or not path.is_absolute() or not is_file(path):
            continue
        try:
            with opened(path) as binary:
                if build_id(binary.image) == wanted:
                    return path
        except GocostError:
            continue  # of another kind by now, or a library
    return None


def other_build(path: Path, profiled: str, mine: str) -> UsageError:
    """The error for an executable that is not the one that was profiled."""
    return UsageError(
        f"{path} is not the program that was profiled: its build id is {mine[:16]}..., the"
        f" profile's is {profiled[:16]}...",
        hint="name that build with --binary; another's addresses name other functions",
    )


def unnamed_note(profile: Profile) -> list[Note]:
    """What to do about code without names, but where it is the system's alone, such as [vdso]."""
    bare = nameless(profile)
    if not bare.any():
        return []
    rows = profile.locations.mapping[bare]
    strings, files = profile.strings, profile.mappings.file
    names = {strings[int(files[row])] if row >= 0 else "" for row in rows.tolist()}
    programs = [name for name in sorted(names) if name and not name.startswith("[")]
    if not programs and "" not in names:
        return []
    where = f" ({', '.join(programs[:3])})" if programs else ""
    told = f"{int(bare.sum()):,} addresses have no names{where}: name the program with --binary"
    return [Note("warning", told)]
