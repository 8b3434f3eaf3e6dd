"""Nodes to the policy's types, so that an error names place, wrong word and right word.

The types (schema.py) are walked by msgspec's own introspection: a field added there is read here.
Every value's place is kept by its path (`("services", "payments", "build", "flags")`): it is what
`gocost policy show` prints, and where findings point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import inspect

from gocost.formats.yaml_document import Node, Place
from gocost.model.errors import PolicyError
from gocost.model.quantity import Unit
from gocost.policy.places import Path, Places, parsed, quoted, unknown_word
from gocost.policy.schema import UNITS, PolicyFile

INTEGER = re.compile(r"[+-]?[0-9][0-9_]{0,17}")


def read(node: Node) -> tuple[PolicyFile, Places]:
    """A file's root node as a PolicyFile, and the places of its values. Raises PolicyError."""
    reader = _Reader()
    file: PolicyFile = reader.value(node, _file_type(), (), "the policy")
    return file, Places(reader.nodes, reader.keys)


@cache
def _file_type() -> inspect.Type:
    return inspect.type_info(PolicyFile)


class _Reader:
    def __init__(self) -> None:
        self.nodes: dict[Path, Node] = {}
        self.keys: dict[Path, Place] = {}

    def value(self, node: Node, kind: inspect.Type, path: Path, name: str) -> Any:
        self.nodes[path] = node
        extra: dict[str, Any] = {}
        while isinstance(kind, inspect.Metadata):
            extra |= kind.extra or {}
            kind = kind.type
        if isinstance(kind, inspect.UnionType):
            # Every union of the schema is `something | None`; null is written by leaving it out.
            kind = next(t for t in kind.types if not isinstance(t, inspect.NoneType))
            while isinstance(kind, inspect.Metadata):
                extra |= kind.extra or {}
                kind = kind.type
        if extra.get("raw"):
            return _text(node, name)
        if "unit" in extra:
            return quantity(node, extra["unit"], name)
        return self._typed(node, kind, path, name)

    def _typed(self, node: Node, kind: inspect.Type, path: Path, name: str) -> Any:
        match kind:
            case inspect.StructType():
                return self._struct(node, kind, path, name)
            case inspect.DictType():
                return self._dict(node, kind, path, name)
            case inspect.VarTupleType():
                return self._tuple(node, kind.item_type, path, name)
            case inspect.EnumType():
                words = [str(member.value) for member in kind.cls]
                return kind.cls(_word(node, words, name))
            case inspect.LiteralType():
                words = [str(value) for value in kind.values]
                return kind.values[words.index(_word(node, words, name))]
            case inspect.StrType():
                return _text(node, name)
            case inspect.BoolType():
                return boolean(node, name)
            case inspect.IntType():
                return _integer(node, name)
        raise TypeError(f"the policy's types use {kind}, which the reader does not know")

    def _struct(self, node: Node, kind: inspect.StructType, path: Path, name: str) -> Any:
        fields = {field.encode_name: field for field in kind.fields}
        values: dict[str, Any] = {}
        for key, child in self._entries(node, name):
            word = key.text
            if word not in fields:
                raise _unknown_key(key, fields, name)
            field = fields[word]
            at = (*path, word)
            self.keys[at] = key.place
            information = _with_unit(kind.cls.__name__, field)
            if child.null and _is_collection(information):
                self.nodes[at] = child
                continue
            values[field.name] = self.value(child, information, at, word)
        for word, field in fields.items():
            if field.required and field.name not in values:
                raise node.place.error(f"{name} has no {word!r}", hint=f"add `{word}:`")
        return kind.cls(**values)

    def _dict(self, node: Node, kind: inspect.DictType, path: Path, name: str) -> dict[str, Any]:
        values = {}
        for key, child in self._entries(node, name):
            at = (*path, key.text)
            self.keys[at] = key.place
            if not key.text:
                raise key.place.error(f"an empty name in {name}", hint="write a name")
            values[key.text] = self.value(child, kind.value_type, at, f"{name}.{key.text}")
        return values

    def _tuple(self, node: Node, item: inspect.Type, path: Path, name: str) -> tuple[Any, ...]:
        if node.null:
            return ()
        inner = item.type if isinstance(item, inspect.Metadata) else item
        if node.kind == "text" and isinstance(inner, inspect.StrType | inspect.EnumType):
            # `where: check` is what people write for a list of one.
            if " " in node.text.strip() and node.plain:
                raise node.place.error(
                    f"{name} is a list of words, and here is one text {quoted(node.text)}",
                    hint=f"write {name}: [{', '.join(node.text.split())}]",
                )
            return (self.value(node, item, (*path, 0), name),)
        if node.kind != "list":
            raise node.place.error(
                f"{name} is a list, and here is {_described(node)}", hint="write - before each item"
            )
        return tuple(
            self.value(child, item, (*path, at), f"{name}[{at}]")
            for at, child in enumerate(node.items)
        )

    def _entries(self, node: Node, name: str) -> list[tuple[Node, Node]]:
        if node.null:
            return []
        if node.kind != "map":
            raise node.place.error(
                f"{name} has keys and values, and here is {_described(node)}",
                hint="write `key: value`",
            )
        seen: dict[str, Place] = {}
        for key, _ in node.entries:
            if key.kind != "text":
                raise key.place.error(f"a key of {name} is {_described(key)}", hint="write a word")
            if key.text in seen:
                raise key.place.error(
                    f"{key.text!r} stands twice in {name}",
                    hint=f"keep this one or that of line {seen[key.text].line}",
                )
            if key.text == "<<" and key.plain:
                raise key.place.error(
                    "merge keys (<<) have no meaning in a policy",
                    hint="share rules with `extends:` or `presets:`",
                )
            seen[key.text] = key.place
        return node.entries


def quantity(node: Node, unit: Unit, name: str) -> float:
    """The number in base units that stands at `node`. Raises PolicyError."""
    text = _text(node, name)
    return parsed(text, unit, node.place, name)


def boolean(node: Node, name: str) -> bool:
    """True or false; YAML 1.1's other words (yes, on) are refused. Raises PolicyError."""
    if node.kind == "text" and node.text.lower() in ("true", "false"):
        return node.text.lower() == "true"
    raise node.place.error(
        f"{name} is true or false, and here is {_described(node)}",
        hint=f"write {name}: true or {name}: false",
    )


def _unknown_key(key: Node, fields: Mapping[str, object], name: str) -> PolicyError:
    return unknown_word(key.place, f"{name} has no key", key.text, fields)


def _word(node: Node, words: list[str], name: str) -> str:
    text = _text(node, name)
    if text not in words:
        raise unknown_word(node.place, f"{name} cannot be", text, words)
    return text


def _text(node: Node, name: str) -> str:
    if node.kind != "text" or node.null:
        raise node.place.error(
            f"{name} is one value, and here is {_described(node)}", hint=f"write `{name}: VALUE`"
        )
    if len(node.text) > 8192 or "\0" in node.text:
        raise node.place.error(f"{name} is no sensible text", hint="at most 8192 characters")
    return node.text


def _integer(node: Node, name: str) -> int:
    text = _text(node, name)
    if not INTEGER.fullmatch(text) or int(text) < 0:
        raise node.place.error(
            f"{name} is a whole number, and here is {quoted(text)}", hint=f"write {name}: 3"
        )
    return int(text)


def _with_unit(struct: str, field: inspect.Field) -> inspect.Type:
    unit = UNITS.get((struct, field.encode_name))
    if unit is None:
        return field.type
    return inspect.Metadata(field.type, extra={"unit": unit})


def _is_collection(kind: inspect.Type) -> bool:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        return any(_is_collection(each) for each in kind.types)
    return isinstance(kind, inspect.StructType | inspect.DictType | inspect.VarTupleType)


def _described(node: Node) -> str:
    if node.null:
        return "nothing"
    if node.kind == "text":
        return quoted(node.text)
    return "a list" if node.kind == "list" else "keys and values"
