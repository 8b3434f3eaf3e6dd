"""CODEOWNERS: which people and teams own a path of a repository, as GitHub and GitLab read it.

    # comment
    *.go            @org/platform          # anywhere
    /cmd/api/       @org/api alice@x.org   # a folder at the root, with all in it
    apps/*/web      @org/web               # GitHub: at the root; GitLab: anywhere
    docs/*          @writers               # files of that folder, not of folders in it
    /cmd/api/gen/                          # owned by nobody

The last line that matches wins. GitHub's patterns are those of gitignore without `!`, `[ ]` and
`\\#` ("About code owners" in its documentation). GitLab's are Ruby's `File.fnmatch` where a folder
ends with `/` (its `CODEOWNERS` reference), and lines stand in sections, `[Name][2] @default`, each
of which names owners of its own:

    ^[Optional] @default    # the owners of its lines that name none
    !generated.go           # never owned in this section
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from gocost.model.errors import FormatError

MAX_BYTES: Final = 3 << 20
"""GitHub loads no larger file."""
_HEADER: Final = re.compile(r"\^?\[([^\]]+)\](?:\[(\d+)\])?(?:\s+(.*))?")
_OWNER: Final = re.compile(r"@@?[\w./-]+|[^\s@]+@[^\s@]+")
_LONGEST: Final = 4096
"""Letters of a pattern; no path is longer on Linux."""
_WILD: Final = frozenset("*?[\\")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: whose the paths are that match `pattern`."""

    line: int
    pattern: str
    owners: tuple[str, ...]
    """Empty where the line takes owners away."""
    section: int
    """GitLab's section, counted; 0 before the first."""
    excluded: bool
    """GitLab's `!pattern`: owned by nobody in this section, whatever its other lines say."""
    expression: str
    """The pattern as a regular expression (RE2) that a whole path matches."""
    first: str
    """The path's first element where the pattern fixes it, else empty."""


@dataclass(frozen=True)
class Codeowners:
    """The rules of a file."""

    rules: tuple[Rule, ...]
    """In the file's order."""
    faults: tuple[str, ...]
    """Lines that are passed over, as GitHub and GitLab pass over them, with the reason."""
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    def owners(self, path: str) -> tuple[str, ...]:
        """The owners of a path from the repository's root, `cmd/api/main.go`; empty for none."""
        path = path.strip("/").encode("utf-8", "replace").decode()
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._owners(path)
        return found

    def _owners(self, path: str) -> tuple[str, ...]:
        won: dict[int, Rule | None] = {}
        for rule in self._candidates(path.partition("/")[0]):
            if rule.section in won and not rule.excluded:
                continue
            if self._matcher(rule).fullmatch(path) is not None:
                won[rule.section] = None if rule.excluded else rule
                if not self._in_sections:
                    break
        owners = (each.owners for _, each in sorted(won.items()) if each is not None)
        return tuple(dict.fromkeys(owner for names in owners for owner in names))

    def _candidates(self, first: str) -> Iterator[Rule]:
        """The rules that could match under a first element, the last of the file first."""
        fixed, free = self._by_first.get(first, ()), self._anywhere
        at, other = len(fixed) - 1, len(free) - 1
        while at >= 0 or other >= 0:
            if other < 0 or (at >= 0 and fixed[at].line > free[other].line):
                yield fixed[at]
                at -= 1
            else:
                yield free[other]
                other -= 1

    def _matcher(self, rule: Rule) -> Any:
        found = self._compiled.get(rule.line)
        if found is None:
            found = self._compiled[rule.line] = _compiled(rule.expression)
        return found

    @cached_property
    def _compiled(self) -> dict[int, Any]:
        return {}

    @cached_property
    def _in_sections(self) -> bool:
        return any(rule.excluded or rule.section for rule in self.rules)

    @cached_property
    def _by_first(self) -> dict[str, list[Rule]]:
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if rule.first:
                found.setdefault(rule.first, []).append(rule)
        return found

    @cached_property
    def _anywhere(self) -> list[Rule]:
        return [rule for rule in self.rules if not rule.first]


def decode(data: bytes, *, gitlab: bool | None = None) -> Codeowners:
    """The rules of a CODEOWNERS file; GitLab's where it has sections, unless `gitlab` says.

    Lines that are wrong are faults, not errors: both forges pass over them. Raises FormatError for
    a file that is larger than GitHub loads, or no text.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(
            f"CODEOWNERS is larger than {MAX_BYTES:,} bytes", hint="GitHub would not load it either"
        )
    if b"\0" in data:
        raise FormatError("this is no CODEOWNERS file: it holds zero bytes", offset=data.index(0))
    lines = data.decode("utf-8-sig", "replace").splitlines()
    if gitlab is None:
        gitlab = any(_header(line) for line in lines)
    rules: list[Rule] = []
    faults: list[str] = []
    sections: dict[str, int] = {}
    section, default = 0, tuple[str, ...]()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        head = _header(text) if gitlab else None
        if head is not None:
            section = sections.setdefault(head[1].strip().lower(), len(sections) + 1)
            default, _ = _named(head[3] or "")
            continue
        try:
            rule = _rule(number, text, section, default, gitlab=gitlab)
        except ValueError as error:
            faults.append(f"line {number}: {error}")
        else:
            rules.append(rule)
    return Codeowners(tuple(rules), tuple(faults))


def _compiled(expression: str) -> Any:
    """The expression of a pattern. Raises ValueError."""
    import re2  # linear in the path, whatever the pattern; 6 ms to import

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        raise ValueError(f"its [range] is none: {error.args[0]!r}") from error


def _header(line: str) -> re.Match[str] | None:
    """A section's heading. `[a-z]*.go @x` is a pattern: behind a heading come owners alone."""
    found = _HEADER.fullmatch(line.strip())
    return found if found is not None and not _named(found[3] or "")[1] else None


def _rule(number: int, text: str, section: int, default: tuple[str, ...], *, gitlab: bool) -> Rule:
    excluded = gitlab and text.startswith("!")
    pattern, rest = _split(text.removeprefix("!") if excluded else text)
    owners, wrong = _named(rest)
    if wrong:
        raise ValueError(f"{wrong[0]} is neither @name, @org/team nor an address")
    if not gitlab and pattern.startswith(("!", "\\#")):
        raise ValueError(f"GitHub knows no pattern that begins with {pattern[0]}")
    if not gitlab and "[" in pattern.replace("\\[", ""):
        raise ValueError("GitHub knows no [ranges] in patterns")
    if not pattern.strip("/"):
        raise ValueError(f"{pattern} matches nothing; write * for everything")
    if len(pattern) > _LONGEST:
        raise ValueError(f"a pattern of {len(pattern):,} letters is longer than any path")
    expression = _of_gitlab(pattern) if gitlab else _of_github(pattern)
    if gitlab and "[" in pattern:
        _compiled(expression)  # what else is written here is always an expression
    return Rule(
        line=number,
        pattern=pattern,
        owners=() if excluded else owners or (default if gitlab else ()),
        section=section,
        excluded=excluded,
        expression=expression,
        first=_first(pattern, gitlab=gitlab),
    )


def _split(text: str) -> tuple[str, str]:
    """The pattern, up to the first space that no backslash is before, and what follows it."""
    at = 0
    while at < len(text) and not text[at].isspace():
        at += 2 if text[at] == "\\" else 1
    return text[:at], text[at:]


def _named(text: str) -> tuple[tuple[str, ...], list[str]]:
    """The owners of a line up to its comment, and the words that are none."""
    words = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].split()
    return tuple(words), [word for word in words if not _OWNER.fullmatch(word)]


def _first(pattern: str, *, gitlab: bool) -> str:
    """The first element of every path that matches, where there is only one."""
    anchored = pattern.startswith("/") or (not gitlab and "/" in pattern.rstrip("/"))
    first = pattern.lstrip("/").partition("/")[0]
    return "" if not anchored or _WILD & set(first) else first


def _of_github(pattern: str) -> str:
    """gitignore's pattern, but that `folder/*` is about the files of that folder alone."""
    anchored = "/" in pattern.rstrip("/")
    parts = [part for part in pattern.split("/") if part]
    written = _joined(parts, "" if anchored else "(?:.*/)?")
    if pattern.endswith("/"):
        return f"{written}/.*"
    if parts[-1] == "**" and len(parts) > 1:
        return written
    return written if anchored and parts[-1] == "*" else f"{written}(?:/.*)?"


def _of_gitlab(pattern: str) -> str:
    """Ruby's File.fnmatch with FNM_PATHNAME and FNM_DOTMATCH; `folder/` is all that is in it."""
    parts = [part for part in pattern.split("/") if part]
    if pattern.endswith("/"):
        parts += ["**", "*"]
    elif parts[-1] == "**":
        parts[-1] = "*"  # as fnmatch has it: only `**/` goes down
    return _joined(parts, "" if pattern.startswith("/") else "(?:.*/)?", ranges=True)


def _joined(parts: list[str], before: str, *, ranges: bool = False) -> str:
    """The elements of a path as one expression; `**` is any number of them."""
    written = before
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if part == "**":
            written += ".+" if last else "(?:.*/)?"
        else:
            written += _element(part, ranges=ranges) + ("" if last else "/")
    return f"(?s:{written})"


def _element(part: str, *, ranges: bool) -> str:
    """One element with `*`, `?`, backslashes and, where they are known, `[a-z]` and `[^a-z]`."""
    written, at = "", 0
    while at < len(part):
        letter = part[at]
        end = part.find("]", at + 2) if ranges and letter == "[" else -1
        if letter == "\\" and at + 1 < len(part):
            written, at = written + re.escape(part[at + 1]), at + 2
        elif letter == "*":
            at += len(part[at:]) - len(part[at:].lstrip("*"))
            written += "[^/]*"
        elif letter == "?":
            written, at = f"{written}[^/]", at + 1
        elif end > 0:
            inner = part[at + 1 : end]
            turned = "^" if inner[0] in "^!" and len(inner) > 1 else ""
            inner = re.sub(r"([\\\[^])", r"\\\1", inner[len(turned) :])
            written, at = f"{written}[{turned}{inner}]", end + 1
        else:
            written, at = written + re.escape(letter), at + 1
    return written
