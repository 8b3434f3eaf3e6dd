"""Profiles from files and services: read, merged, compared with a base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gocost.formats.pprof.deflate import MAX_BYTES, decompress
from gocost.measures.profile_conflict import naming_who_profiles
from gocost.model.errors import FormatError, UsageError
from gocost.sources.naming import check_named_once, shown
from gocost.sources.recordings import read_recording

if TYPE_CHECKING:
    from gocost.formats.pprof.profile import Profile


@dataclass(frozen=True, slots=True)
class Recorded:
    """Profiles that were read: those asked about, and those that they are compared with."""

    files: tuple[str, ...]
    """As they are shown."""
    head: Profile
    base: Profile | None = None
    of_base: bool = False
    """Percentages are of the base (pprof's -diff_base)."""
    normalize: bool = False
    """Scale the head to the base's total first."""
    bases: tuple[str, ...] = ()
    """The files that they are compared with."""

    def difference(self, *, apart: bool = False) -> Profile:
        """The head less the base. Raises UsageError where they do not measure the same.

        With `apart` a stack that both have stays two samples, of which the base's is below zero.
        """
        if self.base is None:
            return self.head
        from gocost.analyses.profile.merging import subtract

        of_base = self.of_base or apart
        return subtract(self.head, self.base, of_base=of_base, normalize=self.normalize)


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
        self.headers = headers
        self.max_bytes = max_bytes

    def one(self, where: str) -> Profile:
        """The profile at a path or URL."""
        return self._decoded(where, self._inflated(where))

    def _inflated(self, where: str) -> bytes | memoryview:
        with naming_who_profiles(where, self.headers):
            data = read_recording(
                where,
                page=self._page,
                seconds=self._seconds,
                headers=self.headers,
                max_bytes=self.max_bytes,
            )
        try:
            return decompress(data, self.max_bytes)
        except FormatError as error:
            raise _of(where, error) from error

    def _decoded(self, where: str, raw: bytes | memoryview) -> Profile:
        from gocost.formats.pprof.decoding import decode_raw

        try:
            return decode_raw(raw, origin=shown(where))
        except FormatError as error:
            raise _of(where, error) from error

    def merged(self, files: Sequence[str]) -> Profile:
        """Several as one."""
        if len(files) == 1:
            return self.one(files[0])
        from concurrent.futures import ThreadPoolExecutor

        # Inflating and decoding let go of the interpreter, and services answer side by side: files
        # are inflated while numpy is imported, and what is decoded is added up meanwhile.
        with ThreadPoolExecutor(min(len(files), 8)) as pool:
            inflated = [pool.submit(self._inflated, where) for where in files]
            from gocost.analyses.profile.merging import merge

            return merge(
                pool.map(lambda where, raw: self._decoded(where, raw.result()), files, inflated)
            )

    def compared(
        self,
        files: Sequence[str],
        base: Sequence[str],
        diff_base: Sequence[str],
        *,
        normalize: bool,
    ) -> Profile:
        """The profiles of `files` less those of a base. Raises UsageError."""
        return self.recorded(files, base, diff_base, normalize=normalize).difference()

    def recorded(
        self,
        files: Sequence[str],
        base: Sequence[str],
        diff_base: Sequence[str],
        *,
        normalize: bool,
    ) -> Recorded:
        """The profiles of `files` and those of a base, read. Raises UsageError."""
        if not files:
            raise UsageError("no profile is named", hint="name a file or the URL of a service")
        check_named_once((*files, *base, *diff_base))
        if base and diff_base:
            raise UsageError("--base and --diff-base exclude each other", hint="choose one")
        if normalize and not (base or diff_base):
            raise UsageError("--normalize needs something to compare with", hint="add --base FILE")
        head = self.merged(files)
        other = self.merged(base or diff_base) if base or diff_base else None
        return Recorded(
            tuple(map(shown, files)),
            head,
            other,
            of_base=bool(diff_base),
            normalize=normalize,
            bases=tuple(map(shown, (*base, *diff_base))),
        )


def _of(where: str, error: FormatError) -> FormatError:
    hint = error.hint or "it is no profile, or damaged: record or copy it again"
    return FormatError(f"{shown(where)}: {error.message}", hint=hint)
