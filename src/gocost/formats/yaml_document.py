"""YAML text to a tree of nodes that each know their place: policies and price books.

Only what those need of YAML (yaml.org/spec/1.1) is taken: mappings, lists, scalars, anchors. What a
scalar means (a quantity, a yes, a text) is not guessed here as YAML 1.1 does (`on`, `1:30`,
`0777`): it is read by the type that its key has. The tree is built from the parser's events,
without recursion, so that depth, size and the expansion of aliases are capped before anything grows
(libyaml's own composer recurses, and a file of brackets makes it overflow the stack).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import yaml

from gocost.model.errors import PolicyError

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 24
MAX_NODES: Final = 50_000

Kind = Literal["text", "list", "map"]


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file, both counting from 1; line 0 where there is none."""

    path: str
    line: int = 0
    column: int = 0

    def error(self, message: str, *, hint: str = "") -> PolicyError:
        """A PolicyError here."""
        return PolicyError(message, path=self.path, line=self.line, column=self.column, hint=hint)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(slots=True)
class Node:
    """A scalar (`text`), a list (`items`) or a mapping (`entries`) and where it begins."""

    kind: Kind
    place: Place
    text: str = ""
    plain: bool = False
    """Written without quotes, so that `true` may mean yes and nothing may mean null."""
    end: tuple[int, int] = (0, 0)
    """Line and column just after a scalar, for rewriting it in place."""
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Node, Node]] = field(default_factory=list)
    weight: int = 1
    """Nodes below and here, with aliases expanded."""

    @property
    def null(self) -> bool:
        """Nothing written, or YAML's words for nothing."""
        return self.kind == "text" and self.plain and self.text in ("", "~", "null", "Null", "NULL")


def text_of(data: bytes, path: str) -> str:
    """A file's bytes as UTF-8, a byte order mark left out. Raises PolicyError."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(
            f"byte {error.start} is not UTF-8", path=path, hint="save the file as UTF-8"
        ) from error


def compose(text: str, path: str) -> Node:
    """The root node of a one-document YAML text. Raises PolicyError with the place."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise PolicyError(
            f"the file is larger than {MAX_BYTES >> 20} MiB",
            path=path,
            hint="it should be a few kilobytes; name the right file",
        )
    try:
        return _Composer(path).compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(path, mark) if mark else Place(path)
        raise place.error(
            f"this is not YAML: {error.problem or error.context}",
            hint="check indentation, quotes and brackets just before this place",
        ) from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split("\n")[0].split())
        raise PolicyError(
            f"this is not YAML: {reason}", path=path, hint="save it as plain UTF-8 text"
        ) from error


class _Composer:
    def __init__(self, path: str) -> None:
        self._path = path
        self._anchors: dict[str, Node] = {}
        self._open: list[tuple[Node, str | None, list[Node]]] = []
        self._root: Node | None = None
        self._nodes = 0

    def compose(self, text: str) -> Node:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = 0
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _place(self._path, event.start_mark).error(
                        "this is to be one YAML document, and here a second one begins",
                        hint="remove the `---`, or put it into a file of its own",
                    )
            else:
                self._take(event)
        if self._root is None:
            raise PolicyError(
                "the file is empty", path=self._path, hint="`gocost init` writes a policy"
            )
        return self._root

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            place = _place(self._path, event.start_mark)
            if event.anchor not in self._anchors:
                raise place.error(
                    f"there is no finished anchor &{event.anchor} before this alias",
                    hint="define the anchor first; it cannot contain itself",
                )
            self._add(self._anchors[event.anchor], None)
        elif isinstance(event, yaml.ScalarEvent):
            place = self._begin(event)
            plain = not event.style
            mark: Any = event.end_mark
            end = (mark.line + 1, mark.column + 1)
            self._add(Node("text", place, text=event.value, plain=plain, end=end), event.anchor)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            place = self._begin(event)
            kind: Kind = "list" if isinstance(event, yaml.SequenceStartEvent) else "map"
            if len(self._open) >= MAX_DEPTH:
                raise place.error(
                    f"nested more than {MAX_DEPTH} deep", hint="about six levels are needed"
                )
            self._open.append((Node(kind, place), event.anchor, []))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            node, anchor, children = self._open.pop()
            node.weight += sum(child.weight for child in children)
            self._cap(node.weight, node.place)
            if node.kind == "list":
                node.items = children
            else:
                node.entries = list(zip(children[::2], children[1::2], strict=True))
            self._add(node, anchor)

    def _begin(self, event: yaml.NodeEvent) -> Place:
        place = _place(self._path, event.start_mark)
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            raise place.error(f"the tag {tag} has no meaning here", hint="remove it")
        self._nodes += 1
        self._cap(self._nodes, place)
        return place

    def _cap(self, count: int, place: Place) -> None:
        if count > MAX_NODES:
            raise place.error(
                f"more than {MAX_NODES:,} values (aliases counted as often as they are used)",
                hint="split the file, or use fewer aliases",
            )

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1][2].append(node)
        else:
            self._root = node


def _place(path: str, mark: Any) -> Place:
    # Two classes of marks, the C scanner's and the readable one's, with the same fields.
    return Place(path, mark.line + 1, mark.column + 1)
