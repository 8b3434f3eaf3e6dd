"""Whom a fact is about."""

from __future__ import annotations

import msgspec


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """A service at a version. Empty fields are not known or do not apply."""

    service: str = ""
    version: str = ""
    commit: str = ""
    environment: str = ""
    instance: str = ""
