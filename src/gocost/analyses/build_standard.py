"""How a binary was built, as far as it says itself: its build info first, then its bytes.

The go command records more with every release: settings at all from 1.18, -trimpath from 1.19,
-buildmode and -pgo from 1.20, -cover from 1.23. `-ldflags` are hidden where -trimpath was given,
so that stripped is read from the file. What an older go command did not record is looked for in
what the compiler left in pclntab; what leaves no trace is unknown.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from gocost.analyses.go_releases import minor_of, support_of
from gocost.analyses.size.stripping import savings
from gocost.analyses.source_names import names_any
from gocost.formats.buildinfo import BuildInfo
from gocost.formats.executable import Executable
from gocost.formats.go_binary import GoBinary

SETTINGS_SINCE = 18  # the first minor release whose build info has `build` lines
TRIMPATH_SINCE = 19
RACE_SINCE = 18
COVER_SINCE = 23
PGO_SINCE = 20  # before, the compiler could not use a profile
NO_SETTINGS = "build info has no settings before Go 1.18"

Value = bool | str


@dataclass(frozen=True, slots=True)
class Standard:
    """Values by metric, where each comes from, and why the rest is unknown or does not apply."""

    values: dict[str, Value] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    revision: str = ""
    """The commit in the stamp."""
    leftovers: tuple[tuple[str, int], ...] = ()
    """What stripping would take out: name and bytes."""

    def say(self, metric: str, value: Value | None, origin: str, reason: str = "") -> None:
        """Records a value, or why there is none."""
        if value is None:
            self.unknown[metric] = reason
        else:
            self.values[metric] = value
            self.origins[metric] = origin


def standard_of(binary: GoBinary) -> Standard:
    """Everything about the build standard that the file shows."""
    leftovers = strippable(binary)
    info = binary.info
    found = Standard(
        revision=(info.setting("vcs.revision") if info else None) or "", leftovers=leftovers
    )
    kept = ", ".join(name for name, _ in leftovers)
    found.say(
        "build.stripped", not leftovers, f"{kept} in the file" if kept else "the file's sections"
    )
    if info is None:
        for metric in _FROM_BUILD_INFO:
            found.say(metric, None, "", binary.reason or "there is no build info")
        return found
    _toolchain(found, info)
    _stamp(found, info)
    _paths(found, binary.image, info)
    _settings(found, binary.image, info)
    return found


_FROM_BUILD_INFO = (
    "build.toolchain", "build.toolchain.supported", "build.vcs.stamped", "build.vcs.clean",
    "build.trimpath", "build.mode", "build.race", "build.cover", "build.debug", "build.pgo",
)  # fmt: skip


def strippable(binary: GoBinary) -> tuple[tuple[str, int], ...]:
    """What `-ldflags="-s -w"` would still take out: symbol table and DWARF, with their bytes."""
    saved = savings(binary.image, binary.info)
    parts = (("symbol table", saved.both - saved.dwarf), ("DWARF", saved.dwarf))
    return tuple((name, size) for name, size in parts if size > 0)


def _toolchain(found: Standard, info: BuildInfo) -> None:
    version, _, experiments = info.go_version.partition(" ")
    origin = f"build info: {info.go_version}" if experiments else "build info"
    found.say("build.toolchain", version, origin)
    support = support_of(version)
    found.say("build.toolchain.supported", support.supported, support.why, support.why)


def _stamp(found: Standard, info: BuildInfo) -> None:
    stamped = bool(found.revision)
    found.say("build.vcs.stamped", stamped, f"vcs.revision={found.revision or '(none)'}")
    modified = info.setting("vcs.modified")
    if modified is None:
        found.skipped["build.vcs.clean"] = "no VCS stamp in the file; build.vcs.stamped judges that"
    else:
        found.say("build.vcs.clean", modified == "false", f"vcs.modified={modified}")


def _paths(found: Standard, image: Executable, info: BuildInfo) -> None:
    recorded = info.setting("-trimpath")
    if recorded is not None:
        found.say("build.trimpath", recorded == "true", f"-trimpath={recorded}")
        return
    minor = minor_of(info.go_version)
    if minor is not None and minor >= TRIMPATH_SINCE and info.settings:
        found.say("build.trimpath", False, "build info has no -trimpath")
        return
    # Untrimmed, the runtime's own files stand under GOROOT/src.
    whole, trimmed = (
        names_any(image, name) for name in (b"/src/runtime/proc.go", b"runtime/proc.go")
    )
    value = False if whole else True if trimmed else None
    found.say(
        "build.trimpath", value, "paths of source files", "the file does not name source files"
    )


def _settings(found: Standard, image: Executable, info: BuildInfo) -> None:
    has_settings = bool(info.settings)
    kinds = {"pie": "pie", "shared": "c-shared"}
    mode = info.setting("-buildmode")
    # Windows and macOS programs are always position-independent, whatever the build mode.
    by_header = kinds.get(image.kind, "exe") if image.container == "elf" else None
    found.say(
        "build.mode",
        mode or by_header,
        f"-buildmode={mode}" if mode else "the file's headers",
        "build info does not record -buildmode before Go 1.20",
    )
    minor = minor_of(info.go_version)
    _instrumented(found, image, info, "-race", RACE_SINCE, b"runtime/race.go")
    _instrumented(
        found, image, info, "-cover", COVER_SINCE, b"runtime/coverage/", b"internal/coverage/cfile/"
    )
    gcflags = info.setting("-gcflags") or ""
    found.say(
        "build.debug",
        _unoptimised(gcflags) if has_settings else None,
        f"-gcflags={gcflags}" if gcflags else "build info has no -gcflags",
        NO_SETTINGS,
    )
    profile = info.setting("-pgo")
    known = has_settings or (minor is not None and minor < PGO_SINCE)
    found.say(
        "build.pgo",
        bool(profile) if known else None,
        f"-pgo={profile}" if profile else "build info has no -pgo",
        NO_SETTINGS,
    )


def _instrumented(
    found: Standard,
    image: Executable,
    info: BuildInfo,
    flag: str,
    since: int,
    *traces: bytes,
) -> None:
    """A flag that adds a runtime of its own: recorded since a release, before that by its files."""
    metric = f"build.{flag.removeprefix('-')}"
    minor = minor_of(info.go_version)
    if info.setting(flag) == "true":
        found.say(metric, True, f"{flag}=true")
    elif minor is not None and minor >= since and info.settings:
        found.say(metric, False, f"build info has no {flag}")
    else:
        traced = names_any(image, *traces)
        reason = "the file does not name source files"
        found.say(metric, traced, f"its runtime among the source files: {traced}", reason)


def _unoptimised(gcflags: str) -> bool:
    """Whether -gcflags holds -N or -l, also behind a pattern: `all=-N -l`."""
    try:
        words = shlex.split(gcflags)
    except ValueError:
        words = gcflags.split()
    return any(word.rpartition("=")[2] in ("-N", "-l") for word in words)
