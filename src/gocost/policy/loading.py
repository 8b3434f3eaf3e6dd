"""A policy as it holds: `gocost.yaml` with what it extends, its presets and its services' rules.

Later layers win: what a file extends, then its presets, then its own rules, then a service's. A
rule of the same id replaces the earlier one; where that one is `locked`, it can only be tightened.
Everything keeps where it came from.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec

from gocost.formats.yaml_document import MAX_BYTES, Node, Place, compose, text_of
from gocost.model.catalogue import nearest
from gocost.model.errors import SourceError, UsageError
from gocost.model.service import Goroutines, Service
from gocost.policy.places import Places, unknown_word
from gocost.policy.reading import read
from gocost.policy.rules import Rule, Waiver, fitted, rule_of, tightened, waiver_of
from gocost.policy.schema import PRESETS, PolicyFile, ServiceEntry, WaiverEntry
from gocost.sources.files import is_file, is_folder, read_bounded

NAMES: Final = ("gocost.yaml", "gocost.yml")
MAX_FILES: Final = 32
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Governed:
    """One service and the rules and waivers that hold for it."""

    service: Service
    rules: tuple[Rule, ...]
    waivers: tuple[Waiver, ...]
    place: Place

    def judging(self, globs: Sequence[str]) -> Governed:
        """The service with only the rules whose id one of `globs` means."""
        kept = tuple(r for r in self.rules if any(fnmatchcase(r.id, glob) for glob in globs))
        return replace(self, rules=kept)


@dataclass(frozen=True, slots=True)
class Setting:
    """One resolved value and where it comes from, for `gocost policy show`."""

    service: str
    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A resolved policy."""

    path: Path
    directory: Path
    team: str
    prices: Path | None
    """The price book's file; None is the one that comes with gocost."""
    services: tuple[Governed, ...]
    settings: tuple[Setting, ...]
    rules: tuple[Rule, ...] = ()
    """Those of the file itself, before any service's own."""
    files: tuple[str, ...] = ()
    """Every file that was read, as shown."""

    def judging(self, globs: Sequence[str]) -> Policy:
        """The policy with only the rules whose id one of `globs` means.

        Raises UsageError for one that means none.
        """
        if not globs:
            return self
        known = {rule.id for governed in self.services for rule in governed.rules}
        for glob in globs:
            if not any(fnmatchcase(identifier, glob) for identifier in known):
                near = nearest(glob, known)
                raise UsageError(
                    f"{shown(self.path)} has no rule {glob!r}",
                    hint=f"did you mean {near!r}?" if near else "`gocost policy show` lists them",
                )
        return replace(self, services=tuple(each.judging(globs) for each in self.services))

    def only(self, names: Sequence[str]) -> Policy:
        """The policy for the services of those names. Raises UsageError for an unknown one."""
        if not names:
            return self
        known = {governed.service.name: governed for governed in self.services}
        for name in names:
            if name not in known:
                near = nearest(name, known)
                raise UsageError(
                    f"{self.path} has no service {name!r}",
                    hint=f"did you mean {near!r}?" if near else f"it has {', '.join(known)}",
                )
        return replace(self, services=tuple(known[name] for name in dict.fromkeys(names)))


@dataclass(slots=True)
class _Layer:
    """What one file says, with the places of its values."""

    file: PolicyFile
    places: Places
    path: Path
    shown: str
    origin: str


@dataclass(slots=True)
class _Resolution:
    rules: dict[str, Rule] = field(default_factory=dict)
    waivers: list[tuple[Waiver, WaiverEntry, _Layer, int]] = field(default_factory=list)
    team: str = ""
    team_origin: str = DEFAULT
    prices: Path | None = None
    prices_origin: str = DEFAULT
    allowed: list[str] = field(default_factory=list)
    """Goroutines that may grow in every service."""
    files: list[str] = field(default_factory=list)


def discover(start: Path) -> Path:
    """The `gocost.yaml` of `start` or of the nearest folder above it. Raises UsageError."""
    folder = start.resolve()
    for directory in (folder, *folder.parents):
        for name in NAMES:
            if is_file(directory / name):
                return directory / name
    raise UsageError(
        f"there is no gocost.yaml in {start} or above it",
        hint="`gocost init` writes one, `--policy FILE` names one",
    )


def load(path: Path, *, to_extend: bool = False) -> Policy:
    """The policy of that file, resolved. Raises PolicyError (with a place) and UsageError.

    `to_extend` takes a file without services too: one that others extend.
    """
    layer = _read_file(path, shown(path), origin=shown(path))
    return _resolved(layer, to_extend=to_extend)


def load_one(path: Path | None, service: str | None) -> Policy | None:
    """The policy with the one service that is meant: by its name, or the only one that it has.

    None where there is no path. Raises as `load`, and UsageError where it is not said which.
    """
    if path is None:
        if service is not None:
            raise UsageError(
                "--service needs a policy that has it", hint="add --policy gocost.yaml"
            )
        return None
    loaded = load(path).only([service] if service is not None else [])
    if len(loaded.services) != 1:
        names = ", ".join(each.service.name for each in loaded.services)
        raise UsageError(
            f"{path} has several services: {names}", hint="say which with --service NAME"
        )
    return loaded


def load_text(text: str, path: Path) -> Policy:
    """The policy of a text that is to stand at `path`. Raises PolicyError and UsageError."""
    name = shown(path)
    file, places, _ = read_text(text, name)
    return _resolved(_Layer(file, places, path, name, name))


def _resolved(layer: _Layer, *, to_extend: bool = False) -> Policy:
    if not layer.file.services and not to_extend:
        place = layer.places.keys.get(("services",), layer.places.of())
        raise place.error(
            "the policy has no service", hint="add `services:` with a name and its package"
        )
    resolution = _Resolution()
    _resolve(layer, resolution, None, ())
    return _policy(layer, resolution)


def read_text(text: str, path: str = "gocost.yaml") -> tuple[PolicyFile, Places, Node]:
    """One file's text against the schema, without what it extends. Raises PolicyError."""
    root = compose(text, path)
    file, places = read(root)
    return file, places, root


def shown(path: Path) -> str:
    """A path as people want to read it: relative where it is below the current folder."""
    absolute = Path(os.path.normpath(path.absolute()))
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return absolute.as_posix()


def _read_file(path: Path, name: str, *, origin: str) -> _Layer:
    try:
        data = read_bounded(path, MAX_BYTES)
    except SourceError as error:
        raise UsageError(f"the policy cannot be read: {error.message}", hint=error.hint) from error
    file, places, _ = read_text(text_of(data, name), name)
    return _Layer(file, places, path, name, origin)


def _resolve(
    layer: _Layer, into: _Resolution, anchor: Place | None, chain: tuple[Path, ...]
) -> None:
    """Lay what `layer` extends, its presets and its own rules over `into`, in that order."""
    identity = Path(os.path.realpath(layer.path))
    if identity in chain:
        raise (anchor or layer.places.of()).error(
            f"{layer.shown} extends itself", hint="remove one `extends:` of the circle"
        )
    into.files.append(layer.shown)
    if len(into.files) > MAX_FILES:
        raise (anchor or layer.places.of()).error(
            f"more than {MAX_FILES} files are extended", hint="extend fewer"
        )
    for at, reference in enumerate(layer.file.extends):
        place = layer.places.of("extends", at)
        _resolve(_extended(layer, reference, place), into, anchor or place, (*chain, identity))
    for at, name in enumerate(layer.file.presets):
        place = layer.places.of("presets", at)
        _lay(_preset(name, place), into, anchor or place, silently=True)
    _lay(layer, into, anchor, silently=False)
    for at, entry in enumerate(layer.file.waivers):
        into.waivers.append((waiver_of(entry, layer.places, ("waivers", at)), entry, layer, at))
    if layer.file.goroutines.allow:
        from gocost.policy.services import check_allowed

        check_allowed(layer.places, ("goroutines", "allow"), layer.file.goroutines.allow)
        into.allowed += layer.file.goroutines.allow
    if layer.file.team:
        into.team, into.team_origin = layer.file.team, str(layer.places.of("team"))
    if layer.file.prices:
        into.prices = _price_file(layer)
        into.prices_origin = str(layer.places.of("prices"))


def _extended(layer: _Layer, reference: str, place: Place) -> _Layer:
    path = layer.path.parent / reference
    if is_folder(path):
        path = path / NAMES[0]
    if not is_file(path):
        raise place.error(
            f"{reference} does not exist",
            hint=f"paths are relative to {layer.shown}; correct it or remove it",
        )
    name = shown(path)
    return _read_file(path, name, origin=name)


def _preset(name: str, place: Place) -> _Layer:
    if name not in PRESETS:
        raise unknown_word(place, "there is no preset", name, PRESETS)
    return _read_file(preset_path(name), f"preset {name}", origin=f"preset {name}")


def preset_path(name: str) -> Path:
    """The file of a preset, which a reader can open."""
    return Path(__file__).with_name("presets") / f"{name}.yaml"


def _price_file(layer: _Layer) -> Path | None:
    if layer.file.prices == DEFAULT:
        return None
    path = layer.path.parent / layer.file.prices
    if not is_file(path):
        raise layer.places.of("prices").error(
            f"there is no price book {layer.file.prices}",
            hint="`prices: default` takes the one that comes with gocost",
        )
    return path


def _lay(layer: _Layer, into: _Resolution, anchor: Place | None, *, silently: bool) -> None:
    own = _own_rules(layer, layer.file.rules, ("rules",), anchor)
    for identifier, rule in own.items():
        into.rules[identifier] = _over(into.rules.get(identifier), rule, silently=silently)


def _own_rules(
    layer: _Layer, entries: Sequence[object], path: tuple[str, ...], anchor: Place | None
) -> dict[str, Rule]:
    """The rules of one level, by id. Raises PolicyError for an id that stands there twice."""
    rules: dict[str, Rule] = {}
    for at, entry in enumerate(entries):
        rule = rule_of(
            entry,  # type: ignore[arg-type]
            layer.places,
            (*path, at),
            origin=layer.origin,
            anchor=anchor,
        )
        if rule.id in rules:
            raise rule.place.error(
                f"there is a rule {rule.id!r} already, on line {rules[rule.id].place.line}",
                hint="give this one an `id:` of its own",
            )
        rules[rule.id] = rule
    return rules


def _over(earlier: Rule | None, rule: Rule, *, silently: bool) -> Rule:
    if earlier is None or not earlier.locked:
        return rule
    if earlier.metric.id != rule.metric.id and silently:
        return earlier
    return tightened(earlier, rule, silently=silently)


def _policy(layer: _Layer, resolution: _Resolution) -> Policy:
    directory = Path(os.path.normpath(layer.path.absolute())).parent
    services = []
    for name, entry in layer.file.services.items():
        path = ("services", name)
        rules = dict(resolution.rules)
        for identifier, rule in _own_rules(layer, entry.rules, (*path, "rules"), None).items():
            rules[identifier] = _over(rules.get(identifier), rule, silently=False)
        _check_service(layer, name, entry)
        service = Service(
            name=name,
            directory=str(directory),
            package=entry.package,
            build=entry.build,
            run=entry.run,
            bench=entry.bench,
            deployment=entry.deployment,
            goroutines=Goroutines(
                (*dict.fromkeys((*resolution.allowed, *entry.goroutines.allow)),)
            ),
            team=entry.team or resolution.team,
        )
        services.append(Governed(service, tuple(rules.values()), (), layer.places.of(*path)))
    governed = _with_waivers(services, resolution)
    _check_services_named(governed)
    return Policy(
        path=layer.path,
        directory=directory,
        team=resolution.team,
        prices=resolution.prices,
        services=governed,
        settings=_settings(layer, resolution, governed),
        rules=tuple(resolution.rules.values()),
        files=tuple(resolution.files),
    )


def _check_service(layer: _Layer, name: str, entry: ServiceEntry) -> None:
    from gocost.policy.services import check_service

    check_service(layer.places, name, entry)


def _with_waivers(services: Sequence[Governed], resolution: _Resolution) -> tuple[Governed, ...]:
    """Give each service the waivers whose rule it has. Raises PolicyError for one of no rule."""
    rules = dict(resolution.rules)
    for governed in services:
        for rule in governed.rules:
            # A lock of any service's rule of that name counts.
            if rule.id not in rules or rule.locked:
                rules[rule.id] = rule
    waivers = []
    for waiver, entry, layer, at in resolution.waivers:
        path = ("waivers", at)
        if waiver.rule not in rules:
            raise unknown_word(
                layer.places.of(*path, "rule"),
                "there is no rule",
                waiver.rule,
                rules,
                hint="" if rules else "remove the waiver, or write the rule that it is of",
            )
        rule = rules[waiver.rule]
        if rule.locked and layer.shown != rule.locked_in:
            raise waiver.place.error(
                f"{rule.id} is locked by {rule.locked_in} and cannot be waived here",
                hint=f"ask the owners of {rule.locked_in} for a waiver there",
            )
        waivers.append(fitted(waiver, entry, rule, layer.places, path))
        _check_named(waiver.select, services, waivers[-1].place)
    return tuple(
        replace(
            governed,
            waivers=tuple(w for w in waivers if any(r.id == w.rule for r in governed.rules)),
        )
        for governed in services
    )


def _check_services_named(services: Sequence[Governed]) -> None:
    for governed in services:
        for rule in governed.rules:
            # An organisation's file may name services that are not here.
            if rule.anchor == rule.place:
                _check_named(rule.select, services, rule.place)


def _check_named(select: dict[str, str], services: Sequence[Governed], place: Place) -> None:
    from fnmatch import fnmatchcase

    glob = select.get("service")
    names = [governed.service.name for governed in services]
    # A file to extend has no services yet, and may name those of the files that extend it.
    if glob is not None and names and not any(fnmatchcase(name, glob) for name in names):
        raise unknown_word(place, "there is no service", glob, names)


def _settings(
    layer: _Layer, resolution: _Resolution, services: Sequence[Governed]
) -> tuple[Setting, ...]:
    prices = str(resolution.prices) if resolution.prices else DEFAULT
    found = [
        Setting("", "team", resolution.team, resolution.team_origin),
        Setting("", "prices", prices, resolution.prices_origin),
        *_leaves(layer, "", ("goroutines",), layer.file.goroutines),
    ]
    for governed in services:
        service = governed.service
        entry = layer.file.services[service.name]
        at = ("services", service.name)
        found.append(_setting(layer, service.name, (*at, "package"), service.package, "package"))
        for part in ("build", "run", "bench", "goroutines", "deployment"):
            value = getattr(entry, part)
            if value is None:
                continue
            for key in value.__struct_fields__:
                found.extend(_leaves(layer, service.name, (*at, part, key), getattr(value, key)))
    return tuple(found)


def _leaves(layer: _Layer, service: str, path: tuple[str, ...], value: object) -> list[Setting]:
    if isinstance(value, msgspec.Struct):
        return [
            each
            for key in value.__struct_fields__
            for each in _leaves(layer, service, (*path, key), getattr(value, key))
        ]
    if value is None or value in ("", (), {}):
        return []
    return [_setting(layer, service, path, value, ".".join(path[2:] if service else path))]


def _setting(
    layer: _Layer, service: str, path: tuple[str, ...], value: object, name: str
) -> Setting:
    from gocost.policy.services import setting_text

    written = layer.places.written(*path)
    origin = str(layer.places.of(*path)) if written else DEFAULT
    return Setting(service, name, setting_text(name, value), origin)
