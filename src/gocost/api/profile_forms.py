"""A profile in the forms of other tools: `gocost.profile_forms.written(...)`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gocost.formats.pprof.deflate import MAX_BYTES
from gocost.measures.profiles import Reading, Recorded
from gocost.model.errors import UsageError
from gocost.sources.naming import NAME, SHOWN, Named, is_url, names_of

if TYPE_CHECKING:
    from gocost.formats.pprof.profile import Profile

_COMPILED: Final = frozenset({("samples", "count"), ("cpu", "nanoseconds")})
FORMS: Final = ("folded", "speedscope", "callgrind", "dot", "svg")


def profile_forms(
    *files: Named,
    form: str,
    base: Named | Sequence[Named] = (),
    diff_base: Named | Sequence[Named] = (),
    normalize: bool = False,
    page: str = "profile",
    seconds: float | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    **options: Any,
) -> Iterator[str]:
    """The lines of a profile as folded stacks, for speedscope, KCachegrind or Graphviz, or drawn.

    `nodefraction`, `edgefraction` and `nodecount` are for graphs (`dot` and `svg`), and by default
    pprof's own: 0.005, 0.001 and 80. `by`, `stable_names`, `binary` and `codeowners` say what a
    frame is, but of callgrind, which is by address. The other arguments are those of
    `gocost.profile`. Raises as that does.
    """
    names = names_of(files)
    if any(map(is_url, names)):
        from gocost.analyses.profile.view import check_expressions
        from gocost.api._profile_views import chosen

        check_expressions(options)
        chosen("top", str(options.get("by", "function")))
    reading = Reading(page, seconds, headers, max_bytes)
    recorded = reading.recorded(names, names_of(base), names_of(diff_base), normalize=normalize)
    return forms_of(recorded, form=form, **options)


def forms_of(
    recorded: Recorded,
    *,
    form: str,
    nodefraction: float | None = None,
    edgefraction: float | None = None,
    nodecount: int | None = None,
    by: str = "function",
    stable_names: bool = False,
    binary: str | None = None,
    codeowners: str | None = None,
    **options: Any,
) -> Iterator[str]:
    """The same of profiles that are read already."""
    if form not in FORMS:
        raise UsageError(f"there is no form {form!r}", hint=f"choose of {', '.join(FORMS)}")
    if options.get("mean"):
        raise UsageError(f"{form} has no means: they do not add up", hint="drop --mean")
    # `merged` gets by without them.
    from gocost.analyses.profile.view import calls, costs, nodes_in, options_of, view
    from gocost.api._profile_views import chosen
    from gocost.api.profile import look_at

    found = recorded.difference()
    if form == "callgrind":
        from gocost.analyses.profile.exports import callgrind

        as_it_is = options_of("addresses", options)
        seen = view(found, as_it_is)
        nodes = nodes_in(seen, as_it_is, objects=True)
        return callgrind.lines(seen, nodes, costs(seen, nodes), calls(seen, nodes))
    _, granularity = chosen("top", by)
    look = look_at(
        found,
        options_of(granularity, options),
        by=by,
        stable_names=stable_names,
        binary=binary,
        codeowners=codeowners,
    )
    if form == "folded":
        from gocost.analyses.profile.exports import folded

        return folded.lines(look.seen, look.nodes)
    if form == "speedscope":
        from gocost.analyses.profile.exports import speedscope

        return speedscope.lines(look.seen, look.nodes)
    from gocost.analyses.profile.exports import dot
    from gocost.analyses.profile.trimming import Limits

    limits = Limits(
        node_fraction=dot.LIMITS.node_fraction if nodefraction is None else nodefraction,
        edge_fraction=dot.LIMITS.edge_fraction if edgefraction is None else edgefraction,
        node_count=dot.LIMITS.node_count if nodecount is None else nodecount,
        drop_negative=look.options.drop_negative,
    )
    graph = dot.lines(look.seen, look.nodes, limits)
    return graph if form == "dot" else _drawn(graph, recorded.files)


def _drawn(graph: Iterator[str], files: Sequence[str]) -> Iterator[str]:
    from gocost.sources.graphviz import svg

    names = [NAME if file == SHOWN else file for file in files]
    typed = shlex.join(["gocost", "profile", "dot", *names]) + " | dot -Tsvg -o graph.svg"
    return iter(svg("\n".join(graph), typed).splitlines())


def merged(
    *files: Named,
    base: Named | Sequence[Named] = (),
    diff_base: Named | Sequence[Named] = (),
    normalize: bool = False,
    page: str = "profile",
    seconds: float | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    pgo: bool = False,
) -> bytes:
    """Several profiles as one, less a base where one is given, as gzip-compressed protobuf.

    With `pgo` it is for Go's compiler: raises UsageError for what `go build -pgo` refuses.
    """
    from gocost.formats.pprof.encoding import encode

    reading = Reading(page, seconds, headers, max_bytes)
    profile = reading.compared(
        names_of(files), names_of(base), names_of(diff_base), normalize=normalize
    )
    if pgo:
        _check_compilable(profile)
    return encode(profile)


def _check_compilable(profile: Profile) -> None:
    """Go's compiler takes whatever has CPU samples, and what has none at all (FromPProf in
    cmd/internal/pgo); of anything else the build fails.
    """
    types = profile.header.sample_types
    if profile.samples and not _COMPILED.intersection((each.type, each.unit) for each in types):
        raise UsageError(
            "a .pgo is of CPU profiles, and `go build -pgo` refuses these of "
            f"{', '.join(each.type for each in types)}",
            hint="merge profiles of /debug/pprof/profile, or write another file: -o merged.pb.gz",
        )
