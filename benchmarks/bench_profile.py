"""`gocost profile top` and `merge` beside `go tool pprof` and the standalone pprof.

    python benchmarks/bench_profile.py [FILE]

On the CPU profile `../shared/data/profiles/large.cpu.pb.gz` (or FILE), and on one that is made of
it sixteenfold, 40 MB of protobuf. The bars: at most half the wall time of `go tool pprof -top`, at
most a third from 10 MB of protobuf on and for merging 16 profiles, and no slower than the
standalone pprof (github.com/google/pprof, built once into `.cache/bench`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from gocost.formats.pprof.decoding import decode
from gocost.formats.pprof.encoding import encode
from gocost.formats.pprof.profile import Functions, Profile

sys.path.insert(0, str(Path(__file__).parent))
from harness import Program, compare, mib

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
LARGE = ROOT.parent / "shared" / "data" / "profiles" / "large.cpu.pb.gz"
STANDALONE = "github.com/google/pprof@v0.0.0-20261105003125-4bf881d7fb0b"
COPIES = 16


def main() -> int:
    """Compare; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=LARGE)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepare:
        return prepare(options.file, options.prepare)
    print("| what | gocost | peer | ratio | bar |")
    print("|---|---|---|---|---|")
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own: what is resident here would count for the programs started.
        prepared = [sys.executable, __file__, str(options.file), "--prepare", name]
        subprocess.run(prepared, check=True)
        wide, parts = folder / "wide.pb.gz", sorted(folder.glob("part-*.pb.gz"))
        go = ["go", "tool", "pprof"]
        standalone = [str(_standalone())]
        top = ["-top", "-symbolize=none"]
        for label, files, peer, bar in (
            (options.file.name, [options.file], go, 0.5),
            (options.file.name, [options.file], standalone, 1.0),
            (f"the same {COPIES} times as wide", [wide], go, 1 / 3),
        ):
            name = "go tool pprof -top" if peer is go else "pprof -top"
            missed += not compared(
                f"top of {label}", ["profile", "top"], files, name, [*peer, *top], bar,
                options.rounds,
            )  # fmt: skip
        merged = folder / "merged.pb.gz"
        missed += not compared(
            f"merge of {COPIES} profiles",
            ["profile", "merge", "-o", str(merged)],
            parts,
            "go tool pprof -proto",
            [*go, "-proto", "-symbolize=none", f"-output={folder / 'peer.pb.gz'}"],
            1 / 3,
            max(3, options.rounds // 2),
        )
    return 1 if missed else 0


def prepare(file: Path, folder: Path) -> int:
    """Write the profiles that are made of `file`."""
    whole = decode(file.read_bytes())
    (folder / "wide.pb.gz").write_bytes(encode(_repeated(whole, COPIES)))
    for number in range(COPIES):
        (folder / f"part-{number:02}.pb.gz").write_bytes(encode(_thinned(whole, number)))
    return 0


def compared(
    what: str,
    ours: list[str],
    files: list[Path],
    peer: str,
    theirs: list[str],
    bar: float,
    rounds: int,
) -> bool:
    """One line of the table; whether the bar is kept."""
    gocost = str(Path(sys.executable).with_name("gocost"))
    names = [str(file) for file in files]
    pair = compare(
        Program("gocost", [gocost, *ours, *names]),
        Program(peer, [*theirs, *names]),
        rounds=rounds,
    )
    ok = pair.ratio <= bar
    print(
        f"| {what} ({mib(sum(file.stat().st_size for file in files))}) "
        f"| {pair.ours.wall:.3f} s, {mib(pair.ours.peak)} "
        f"| {peer}: {pair.peer.wall:.3f} s, {mib(pair.peer.peak)} "
        f"| {pair.ratio:.2f} (best runs {pair.best_ratio:.2f}) "
        f"| {bar:.2f}, {'kept' if ok else 'MISSED'} |",
        flush=True,
    )
    return ok


def _repeated(profile: Profile, copies: int) -> Profile:
    """The profile beside itself: as many functions, locations and samples more, with new names."""
    functions, lines, locations = profile.functions, profile.lines, profile.locations
    count, places = len(functions.id), len(locations.id)
    texts = profile.strings.texts(functions.name.tolist())
    names = [profile.strings.add(f"{text}·{n}") for n in range(copies) for text in texts]

    def shifted(column: np.ndarray, by: int) -> np.ndarray:  # type: ignore[type-arg]
        return np.concatenate([column + n * by for n in range(copies)]).astype(column.dtype)

    def again(column: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return np.concatenate([column] * copies)

    return replace(
        profile,
        functions=Functions(
            shifted(functions.id, count),
            np.array(names, np.int32),
            again(functions.system_name),
            again(functions.file),
            again(functions.start_line),
        ),
        lines=replace(
            lines,
            function=shifted(lines.function, count),
            line=again(lines.line),
            column=again(lines.column),
        ),
        locations=replace(
            locations,
            id=shifted(locations.id, int(locations.id.max())),
            mapping=again(locations.mapping),
            address=shifted(locations.address, 1 << 32),
            folded=again(locations.folded),
            line_end=shifted(locations.line_end, len(lines.line)),
        ),
        values=again(profile.values),
        stack=shifted(profile.stack, places),
        stack_end=shifted(profile.stack_end, len(profile.stack)),
        label_end=shifted(profile.label_end, len(profile.labels.key)),
        labels=replace(
            profile.labels,
            key=again(profile.labels.key),
            text=again(profile.labels.text),
            number=again(profile.labels.number),
            unit=again(profile.labels.unit),
        ),
    )


def _thinned(profile: Profile, number: int) -> Profile:
    """Another host's profile of the same program: other amounts, a part of the samples."""
    rng = np.random.default_rng(number)
    kept = rng.random(profile.samples) < 0.7
    values = profile.values * rng.integers(1, 5, (profile.samples, 1))
    values[~kept] = 0
    return replace(profile, values=values)


def _standalone() -> Path:
    path = CACHE / "pprof"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["go", "install", STANDALONE],
            env={**os.environ, "GOBIN": str(CACHE), "GOFLAGS": "-mod=mod"},
            check=True,
        )
    return path


if __name__ == "__main__":
    sys.exit(main())
