"""Frames that pprof leaves out of legacy profiles: those of the allocator, profiler or lock itself.

What is here is what `addLegacyFrameInfo` of pprof's `profile/legacy_profile.go` says, with names
that share a beginning put together. The expressions are matched against whole names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_HEAPS: Final = (
    ["allocations", "size"],
    ["objects", "space"],
    ["inuse_objects", "inuse_space"],
    ["alloc_objects", "alloc_space"],
    ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"],
)
_LOCKS: Final = (["contentions", "delay"],)

_ALLOCATORS: Final = "|".join(
    (
        # C's library
        "malloc|calloc|valloc|pvalloc|realloc|free|cfree|(do_)?memalign|(__)?posix_memalign",
        "__libc_malloc",
        # tcmalloc
        "tcmalloc::.*|tc_(calloc|cfree|malloc|free|memalign|posix_memalign|pvalloc|valloc|realloc)",
        "tc_(new|delete)(array)?|tc_new(array)?_nothrow",
        # Mac OS
        "malloc_zone_(malloc|calloc|valloc|realloc|memalign|free)",
        # Go
        r"runtime\..*",
        # C++ and others
        r"operator new(\[\])?|__builtin_(vec_)?(delete|new)|_M_allocate|allocate|cpp_alloc",
        "__gnu_cxx::new_allocator::allocate|__malloc_alloc_template::allocate",
        "simple_alloc::allocate|BaseArena::.*|(::)?do_malloc(_no_errno|_pages)?",
        "DoSampledAllocation|MallocedMemBlock::MallocedMemBlock",
    )
)
_KEPT_OF_GO: Final = r"runtime\.(panic|reflectcall|call[0-9]*)"
"""Not left out, as user code may stand beneath."""
_PROFILERS: Final = (
    "ProfileData::(Add|prof_handler)|CpuProfiler::prof_handler|__pthread_sighandler|__restore"
)
_LOCKING: Final = "|".join(
    (
        "(base::)?(RecordLockProfileData|SubmitMutexProfileData|SubmitSpinLockProfileData).*",
        "((base::)?Mutex::)?(AwaitCommon|Unlock|ReaderUnlock).*",
        "((base::)?MutexLock::)?~MutexLock.*",
        "(SpinLock::)?(Unlock|SlowUnlock).*",
        "(SpinLockHolder::)?~SpinLockHolder.*",
    )
)


def expressions(types: Sequence[str]) -> tuple[str, str]:
    """What to drop and what to keep all the same, for a profile of these sample types."""
    if list(types) in _HEAPS:
        return _ALLOCATORS, _KEPT_OF_GO
    return (_LOCKING if list(types) in _LOCKS else _PROFILERS), ""
