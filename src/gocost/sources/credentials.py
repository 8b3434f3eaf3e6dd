"""What a service asks of whoever reads its pages: headers, and certificates of both sides.

Secrets go to the server and to nobody else: `repr` and messages name files and never contents.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class Credentials(dict[str, str]):
    """Headers by name, as everything that asks takes them, with the files for TLS beside them."""

    __slots__ = ("authority", "certificate", "key")

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        authority: Path | None = None,
    ) -> None:
        """Files in PEM: the client's `certificate` and its private `key` (by default in the same
        file), and the certificates of who may have signed the server's (by default the system's).
        """
        super().__init__(headers or {})
        self.certificate = certificate
        self.key = key
        self.authority = authority

    def __bool__(self) -> bool:
        """Whether there is anything to show; files alone are."""
        return len(self) > 0 or self.certificate is not None or self.authority is not None

    def __repr__(self) -> str:
        """The names of the headers without their values."""
        return f"Credentials({', '.join(self)})"
