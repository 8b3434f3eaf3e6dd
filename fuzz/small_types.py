"""Writes a little type data of every kind of descriptor, for tests and for fuzzing.

The layout is that of `internal/abi/type.go`; the writer knows nothing of the reader.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Literal

MAPS = ("buckets", "slots", "strides")


@dataclass
class Image:
    """Type data under construction, from address `base` on."""

    width: int = 8
    order: Literal["little", "big"] = "little"
    base: int = 0x400000
    short_names: bool = False
    maps: str = "slots"
    data: bytearray = field(default_factory=lambda: bytearray(8))
    types: dict[str, int] = field(default_factory=dict)
    parts: list[tuple[int, int, str]] = field(default_factory=list)
    """Start, end and owner: a package's path, or `anonymous` or `predeclared`."""

    @property
    def p(self) -> str:
        return "<" if self.order == "little" else ">"

    def words(self, *values: int) -> bytes:
        return struct.pack(f"{self.p}{len(values)}{'Q' if self.width == 8 else 'I'}", *values)

    def name(self, text: str, owner: str, tag: str = "") -> int:
        """A name; returns its offset."""
        raw = bytes([1 | (2 if tag else 0)])
        for part in filter(None, (text, tag)):
            raw += struct.pack(">H", len(part)) if self.short_names else bytes([len(part)])
            raw += part.encode()
        return self._put(raw, owner)

    def _put(self, raw: bytes, owner: str, align: int = 1) -> int:
        self.data += bytes(-len(self.data) % align)
        at = len(self.data)
        self.data += raw
        self.parts.append((at, len(self.data), owner))
        return at

    def type(
        self,
        text: str,
        kind: int,
        owner: str,
        *,
        size: int = 8,
        fixed: bytes = b"",
        extra: bytes = b"",
        path: int = 0,
        methods: tuple[tuple[int, int], ...] = (),
        named: bool = False,
    ) -> int:
        """A descriptor; returns its offset. `path` is the offset of its package's name."""
        uncommon = bool(path or methods)
        flags = (1 if uncommon else 0) | (4 if named else 0)
        name = self.name(text, owner)
        self.data += bytes(-len(self.data) % 16)
        at = len(self.data)
        raw = self.words(size, 0) + struct.pack(f"{self.p}IBBBB", 1, flags, 8, 8, kind)
        raw += self.words(0, 0) + struct.pack(f"{self.p}II", name, 0) + fixed
        if uncommon:
            count = len(methods)
            raw += struct.pack(f"{self.p}IHHII", path, count, count, 16 + len(extra), 0)
        raw += extra
        for method, kind_of in methods:
            raw += struct.pack(f"{self.p}IIII", method, kind_of, 0, 0)
        self.types[text] = at
        return self._put(raw, owner, 16)

    def map_fields(self, key: int, element: int, group: int) -> bytes:
        """What a map adds to its descriptor, as one of the three layouts has it."""
        pointers = self.words(self.base + key, self.base + element, self.base + group, 0)
        if self.maps == "buckets":
            return pointers + struct.pack(f"{self.p}BBHI", 8, 8, 272, 0)
        slot = 2 * self.width
        if self.maps == "slots":
            fields = self.words(8 + 8 * slot, slot, self.width)
        else:
            fields = self.words(8 + 8 * slot, 8, slot, 8 + self.width, slot, self.width)
        return pointers + fields + struct.pack(f"{self.p}I", 0) + bytes(self.width - 4)


def small_types(
    width: int = 8,
    order: Literal["little", "big"] = "little",
    maps: str = "slots",
    short_names: bool = False,
) -> tuple[Image, list[int], list[int]]:
    """Type data, the offsets of the types to start from, and those of its itabs."""
    image = Image(width, order, short_names=short_names, maps=maps)
    pointer = image.base
    shop = image.name("example.com/shop", "example.com/shop")
    integer = image.type("int", 2, "predeclared", named=True)
    text = image.type("string", 24, "predeclared", size=2 * width, named=True)
    function = image.type(
        "func(int) string",
        19,
        "anonymous",
        size=width,
        fixed=struct.pack(f"{image.p}HH", 1, 1) + bytes(width - 4),
        extra=image.words(pointer + integer, pointer + text),
    )
    price = image.name("Price", "anonymous")
    fields = [image.name("Name", "example.com/shop", 'json:"name"'), image.name("N", "")]
    image.parts[-1] = (*image.parts[-1][:2], "example.com/shop")
    item = len(image.data) + 64
    item = image.type(
        "shop.Item",
        25,
        "example.com/shop",
        size=24,
        fixed=image.words(pointer + shop, 0, 2, 2),
        extra=image.words(pointer + fields[0], pointer + text, 0)
        + image.words(pointer + fields[1], pointer + integer, 16),
        path=shop,
        methods=((price, function),),
        named=True,
    )
    at = item + 4 * width + 16 + width
    image.data[at : at + width] = image.words(pointer + item + 4 * width + 16 + 4 * width + 16)
    priced = image.type(
        "interface { Price(int) string }",
        20,
        "anonymous",
        size=2 * width,
        fixed=image.words(0, 0, 1, 1),
        extra=struct.pack(f"{image.p}II", price, function),
    )
    at = priced + 4 * width + 16 + width
    image.data[at : at + width] = image.words(pointer + priced + 4 * width + 16 + 4 * width)
    to_item = image.type(
        "*shop.Item", 22, "example.com/shop", size=width, fixed=image.words(pointer + item)
    )
    many = image.type(
        "[]shop.Item", 23, "anonymous", size=3 * width, fixed=image.words(pointer + item)
    )
    image.type(
        "[3]shop.Item", 17, "anonymous", size=72,
        fixed=image.words(pointer + item, pointer + many, 3),
    )  # fmt: skip
    image.type("chan int", 18, "anonymous", size=width, fixed=image.words(pointer + integer, 3))
    table = image.type(
        "map[string]int", 21, "anonymous", size=width,
        fixed=image.map_fields(text, integer, many),
    )  # fmt: skip
    itab = image.words(pointer + priced, pointer + item) + bytes(8) + image.words(0)
    itab_at = image._put(itab, "example.com/shop", width)
    roots = [table, to_item, image.types["[3]shop.Item"], image.types["chan int"]]
    image.data += bytes(16)
    return image, roots, [itab_at]
