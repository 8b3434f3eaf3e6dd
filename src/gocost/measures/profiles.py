"""Profiles from files and services: read, merged, compared with a base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gocost.formats.pprof.decoding import MAX_BYTES, decode
from gocost.formats.pprof.profile import Profile
from gocost.model.errors import FormatError, UsageError
from gocost.sources.recordings import read_recording


class Reading:
    """How the profiles of one command are read."""

    def __init__(
        self,
        page: str = "profile",
        seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """`page` is what of a service is meant by its bare URL."""
        self._page = page
        self._seconds = seconds
        self._headers = headers
        self._max_bytes = max_bytes

    def one(self, where: str) -> Profile:
        """The profile at a path or URL."""
        data = read_recording(
            where,
            page=self._page,
            seconds=self._seconds,
            headers=self._headers,
            max_bytes=self._max_bytes,
        )
        try:
            return decode(data, origin=where, max_bytes=self._max_bytes)
        except FormatError as error:
            raise FormatError(f"{where}: {error.message}", hint=error.hint) from error

    def merged(self, files: Sequence[str]) -> Profile:
        """Several as one."""
        if len(files) == 1:
            return self.one(files[0])
        from concurrent.futures import ThreadPoolExecutor

        # Inflating and decoding let go of the interpreter, and services answer side by side.
        with ThreadPoolExecutor(min(len(files), 8)) as pool:
            profiles = list(pool.map(self.one, files))
        from gocost.analyses.profile.merging import merge  # a third of the time of importing all

        return merge(profiles)

    def compared(
        self,
        files: Sequence[str],
        base: Sequence[str],
        diff_base: Sequence[str],
        *,
        normalize: bool,
    ) -> Profile:
        """The profiles of `files` less those of a base. Raises UsageError."""
        if not files:
            raise UsageError("no profile is named", hint="name a file or the URL of a service")
        if base and diff_base:
            raise UsageError("--base and --diff-base exclude each other", hint="choose one")
        if normalize and not (base or diff_base):
            raise UsageError("--normalize needs something to compare with", hint="add --base FILE")
        found = self.merged(files)
        if not base and not diff_base:
            return found
        other = self.merged(base or diff_base)
        from gocost.analyses.profile.merging import subtract

        return subtract(found, other, of_base=bool(diff_base), normalize=normalize)
