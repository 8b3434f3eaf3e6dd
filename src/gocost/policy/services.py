"""What a service's own entry must hold beyond its types, and how its values are shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from functools import partial
from typing import Final

from gocost.analyses.expressions import compiled
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.service import LEAST_MEMORY, MOST_RUNS
from gocost.policy.places import Places, at_place, quoted
from gocost.policy.schema import UNITS, ServiceEntry
from gocost.sources.naming import shown, shown_url
from gocost.sources.service_urls import service_url

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
PLATFORM: Final = re.compile(r"[a-z0-9]+/[a-z0-9]+")
PLACEHOLDER: Final = re.compile(r"\{([a-z]*[0-9]*)\}")
PORT: Final = re.compile(r"port[0-9]?")
BENCHTIME: Final = re.compile(
    r"[1-9][0-9]*x|(?=.*[1-9])(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:h|m|s|ms|us|µs|ns))+"
)
"""As Go reads it: a duration above 0, or a number of operations."""


def check_service(places: Places, name: str, entry: ServiceEntry) -> None:
    """Raises PolicyError, with the place, for what cannot be meant."""
    at = ("services", name)
    if not NAME.fullmatch(name):
        raise places.keys[at].error(
            f"{name!r} cannot name a service",
            hint="use letters, digits, dots, dashes and underscores, at most 63",
        )
    _check_build(places, name, entry)
    run = entry.run
    if run is not None:
        if not run.command:
            raise places.of(*at, "run").error("run has no command", hint='write ["{binary}"]')
        _check_placeholders(places, (*at, "run", "command"), run.command, ("binary",))
        for path, text in (
            (("ready",), run.ready),
            *((("endpoints", number), text) for number, text in enumerate(run.endpoints)),
        ):
            _check_url(places, (*at, "run", *path), text)
        load = run.load
        if load is not None:
            where = places.of(*at, "run", "load")
            if bool(load.vegeta) == bool(load.command):
                raise where.error(
                    "load has either `vegeta:` or `command:`", hint="name a targets file"
                )
            if load.rate <= 0 or load.duration <= 0:
                raise where.error(
                    "a load needs a rate and a duration above 0",
                    hint="write {rate: 500/s, duration: 10 s}",
                )
    _check_bench(places, name, entry)
    check_allowed(places, ("services", name, "goroutines", "allow"), entry.goroutines.allow)
    deployment = entry.deployment
    if deployment is not None:
        for key in ("cpu", "memory", "deploys_per_month", "requests_per_month"):
            value = getattr(deployment, key)
            if value is not None and value < 0:
                raise places.of(*at, "deployment", key).error(
                    f"{key} is below 0", hint="write what production has, or leave it out"
                )
        memory = deployment.memory
        if memory is not None and 0 < memory < LEAST_MEMORY:
            raise places.of(*at, "deployment", "memory").error(
                f"memory is {format_quantity(memory, Unit.BYTES)}, which holds no Go program",
                hint="write it with its unit, such as 256 MiB",
            )


def setting_text(name: str, value: object) -> str:
    """A value of the resolved policy as a person would write it."""
    part, _, key = name.rpartition(".")
    unit = UNITS.get((part.rpartition(".")[2].capitalize(), key))
    if unit is not None and isinstance(value, int | float):
        return format_quantity(value, unit)
    if isinstance(value, tuple):
        return (
            "; ".join(_words(each) if isinstance(each, tuple) else "" for each in value)
            if (value and isinstance(value[0], tuple))
            else _words(value)
        )
    if isinstance(value, dict):
        return " ".join(f"{k}={shlex.quote(str(v))}" for k, v in value.items())
    return shown(str(value))


def _check_build(places: Places, name: str, entry: ServiceEntry) -> None:
    at = ("services", name, "build")
    build = entry.build
    if build.binary and (build.command or build.flags):
        raise places.of(*at, "binary").error(
            "binary names a file that is built elsewhere, and here is also how to build it",
            hint="keep either `binary:` or the other",
        )
    if build.command:
        _check_placeholders(places, (*at, "command"), build.command, ("output",), ports=False)
        if not any("{output}" in word for word in build.command):
            raise places.of(*at, "command").error(
                "the command does not say where it writes", hint="pass it {output}"
            )
    if build.platform and not PLATFORM.fullmatch(build.platform):
        raise places.of(*at, "platform").error(
            f"{build.platform!r} is no platform", hint="write it like linux/amd64"
        )
    for number, command in enumerate(build.prepare):
        if not command:
            raise places.of(*at, "prepare", number).error("an empty command", hint="remove it")
        if command == ("go",) or command[0].startswith("-") or command[0].endswith("..."):
            # Elsewhere a command is one list of words, and here it is easily written so too.
            raise places.of(*at, "prepare", number).error(
                f"{command[0]!r} alone is no command",
                hint="prepare lists commands: write [[go, generate, ./...]]",
            )
    _check_output(places, (*at, "flags"), build.flags)


def _check_bench(places: Places, name: str, entry: ServiceEntry) -> None:
    bench = entry.bench
    if bench is None:
        return
    at = ("services", name, "bench")
    if not bench.packages:
        raise places.of(*at, "packages").error("no packages", hint="leave it out for ./...")
    for number, package in enumerate(bench.packages):
        if not package or package.startswith("-"):
            raise places.of(*at, "packages", number).error(
                f"{package!r} is no package", hint="write it as for `go test`: ./internal/..."
            )
    if not bench.bench:
        raise places.of(*at, "bench").error("bench is empty", hint="leave it out for all of them")
    if not 1 <= bench.count <= MOST_RUNS:
        raise places.of(*at, "count").error(
            f"count is {bench.count}", hint=f"write 10; at least 1, at most {MOST_RUNS}"
        )
    if bench.benchtime and not BENCHTIME.fullmatch(bench.benchtime):
        raise places.of(*at, "benchtime").error(
            f"{bench.benchtime!r} is not a benchtime", hint="write a duration (500ms) or 100x"
        )
    if bench.min_effect < 0:
        raise places.of(*at, "min_effect").error("min_effect is below 0", hint="write 5%")
    if not 0 < bench.fdr < 1:
        raise places.of(*at, "fdr").error("fdr is not between 0 and 1", hint="write 5%")
    _check_output(places, (*at, "flags"), bench.flags)


def check_allowed(places: Places, path: tuple[str, ...], allow: Sequence[str]) -> None:
    """Raises PolicyError for what is no expression, or allows everything."""
    for number, text in enumerate(allow):
        place = places.of(*path, number)
        if not text:
            raise place.error("an empty expression allows every goroutine", hint="remove it")
        at_place(place, "goroutines", partial(compiled, "allow", text))


def _check_output(places: Places, path: tuple[str, ...], flags: Sequence[str]) -> None:
    for number, flag in enumerate(flags):
        if flag.lstrip("-").partition("=")[0] == "o" and flag.startswith("-"):
            raise places.of(*path, number).error(
                "gocost says itself where the build writes", hint="remove -o"
            )


def _check_placeholders(
    places: Places,
    path: tuple[str | int, ...],
    words: Sequence[str],
    known: Sequence[str],
    *,
    ports: bool = True,
) -> None:
    for number, word in enumerate(words):
        for found in PLACEHOLDER.findall(word):
            if found and found not in known and not (ports and PORT.fullmatch(found)):
                allowed = ", ".join(
                    f"{{{each}}}" for each in [*known, *(["port"] if ports else [])]
                )
                raise places.of(*path, number).error(
                    f"{{{found}}} stands for nothing", hint=f"known: {allowed}"
                )


def _check_url(places: Places, path: tuple[str | int, ...], text: str) -> None:
    if not text:
        return
    _check_placeholders(places, path, (text,), ())
    try:
        service_url(PLACEHOLDER.sub("1", text))  # ports are not known yet
    except UsageError as error:
        raise places.of(*path).error(
            f"{quoted(shown_url(text))} is not the URL of a service",
            hint="write for example http://127.0.0.1:{port}/healthz",
        ) from error


def _words(value: Sequence[object]) -> str:
    return " ".join(shlex.quote(shown(str(each))) for each in value)
