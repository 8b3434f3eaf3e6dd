"""What a server needs of the pages that it serves: a view's name and the query in, a page out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

HTML = "text/html"
JSON = "application/json"
TEXT = "text/plain"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, what it is, and what it holds."""

    body: str
    media_type: str = HTML
    status: int = 200
    location: str = ""
    """Where to go instead, with status 303."""


class Site(Protocol):
    """The pages about what a command was given."""

    name: str
    """What they are about, for the line that says where they are."""

    def answer(self, view: str, query: Mapping[str, str]) -> Answer:
        """The page of a view; the empty view is the first page. Never raises for what is asked."""
