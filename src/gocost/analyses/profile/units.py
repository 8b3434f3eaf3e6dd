"""Units of a profile's values and numeric labels, and what they convert to.

As pprof has them (`internal/measurement` of github.com/google/pprof): kB, MB and so on are powers
of 1024, a plural `s` is dropped, and `minimum` or `auto` chooses the largest unit in which the
value is at least 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gocost.formats.pprof.profile import ValueType
from gocost.model.quantity import Unit


@dataclass(frozen=True, slots=True)
class _Scale:
    name: str
    aliases: tuple[str, ...]
    factor: float


@dataclass(frozen=True, slots=True)
class _Family:
    default: tuple[str, float]
    scales: tuple[_Scale, ...]

    def find(self, unit: str) -> _Scale | None:
        unit = unit.lower()
        if len(unit.encode()) > 2:
            unit = unit.removesuffix("s")
        return next((scale for scale in self.scales if unit in scale.aliases), None)


def _powers(step: float, base: float, *scales: tuple[str, tuple[str, ...]]) -> tuple[_Scale, ...]:
    return tuple(
        _Scale(name, aliases, base * step**power) for power, (name, aliases) in enumerate(scales)
    )


_FAMILIES: Final = (
    _Family(
        ("B", 1.0),
        _powers(
            1024.0,
            1.0,
            ("B", ("b", "byte")),
            ("kB", ("kb", "kbyte", "kilobyte")),
            ("MB", ("mb", "mbyte", "megabyte")),
            ("GB", ("gb", "gbyte", "gigabyte")),
            ("TB", ("tb", "tbyte", "terabyte")),
            ("PB", ("pb", "pbyte", "petabyte")),
        ),
    ),
    _Family(
        ("s", 1e9),
        (
            _Scale("ns", ("ns", "nanosecond"), 1.0),
            _Scale("us", ("μs", "us", "microsecond"), 1e3),
            _Scale("ms", ("ms", "millisecond"), 1e6),
            _Scale("s", ("s", "sec", "second"), 1e9),
            _Scale("hrs", ("hour", "hr"), 3600e9),
        ),
    ),
    _Family(
        ("GCU", 1.0),
        (
            _Scale("n*GCU", ("nanogcu",), 1e-9),
            _Scale("u*GCU", ("microgcu",), 1e-6),
            _Scale("m*GCU", ("milligcu",), 1e-3),
            _Scale("GCU", ("gcu",), 1.0),
            _Scale("k*GCU", ("kilogcu",), 1e3),
            _Scale("M*GCU", ("megagcu",), 1e6),
            _Scale("G*GCU", ("gigagcu",), 1e9),
            _Scale("T*GCU", ("teragcu",), 1e12),
            _Scale("P*GCU", ("petagcu",), 1e15),
        ),
    ),
)
_PLAIN: Final = ("count", "sample", "unit", "minimum", "auto")


def scaled(value: int, unit: str, wanted: str) -> tuple[float, str]:
    """The value in another unit, and that unit's name (empty where it is not worth saying)."""
    if value < 0:
        amount, name = scaled(-value, unit, wanted)
        return -amount, name
    for family in _FAMILIES:
        scale = family.find(unit)
        if scale is None:
            continue
        amount = value * scale.factor
        if wanted in ("minimum", "auto"):
            fitting = [each for each in family.scales if amount / each.factor >= 1.0]
            if fitting:
                largest = max(fitting, key=lambda each: each.factor)
                return amount / largest.factor, largest.name
        elif (target := family.find(wanted)) is not None:
            return amount / target.factor, target.name
        return amount / family.default[1], family.default[0]
    return float(value), "" if wanted in _PLAIN else wanted


def size_of(unit: str, wanted: str) -> float | None:
    """How much one of a unit is in another (`ns`, `B`); None where they measure other things."""
    if not any(family.find(unit) and family.find(wanted) for family in _FAMILIES):
        return None
    return scaled(1, unit, wanted)[0]


def label(value: int, unit: str, wanted: str = "auto") -> str:
    """The value as text in a unit: at most two decimals, and the unit's name."""
    amount, name = scaled(value, unit, wanted)
    text = f"{amount:.2f}".removesuffix(".00")
    return "0" if text in ("0", "-0") else text + name


def finest(types: Sequence[ValueType]) -> ValueType | None:
    """The type with the smallest unit. None where two of them measure different things."""
    least = types[0]
    for other in types[1:]:
        if least.type.removesuffix("s") != other.type.removesuffix("s"):
            return None
        if least.unit != other.unit and not any(
            family.find(least.unit) and family.find(other.unit) for family in _FAMILIES
        ):
            return None
        if scaled(1, other.unit, least.unit)[0] < 1:
            least = other
    return least


def reported(unit: str) -> Unit:
    """The unit of whole values in this one, as reports know them; what they do not is a count."""
    for family, found in zip(_FAMILIES, (Unit.BYTES, Unit.NANOSECONDS), strict=False):
        scale = family.find(unit)
        if scale is not None and scale.factor == 1.0:
            return found
    return Unit.COUNT
