"""`gocost profile`: what a pprof profile is made of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from gocost.cli.options import FileToWrite, Number, at_most, authorised, priced, reporting
from gocost.cli.output import Output
from gocost.cli.serving import Server, for_a_browser, serving

GROUP = "Attribute"

F = TypeVar("F", bound=Callable[..., Any])

_TEXTS = (
    ("focus", "REGEX", "Only samples with a frame that matches."),
    ("ignore", "REGEX", "No samples with a frame that matches."),
    ("hide", "REGEX", "Leave out frames that match."),
    ("show", "REGEX", "Leave out frames that do not match."),
    ("show_from", "REGEX", "Leave out the callers of the outermost frame that matches."),
    ("prune_from", "REGEX", "Leave out what the innermost frame that matches called."),
    ("tagfocus", "FILTER", "Only samples with this label: KEY=REGEX, REGEX or a range."),
    ("tagignore", "FILTER", "No samples with this label."),
    ("tagshow", "REGEX", "Only labels whose key matches."),
    ("taghide", "REGEX", "No labels whose key matches."),
    ("tagroot", "KEYS", "Labels under these keys as frames at the root."),
    ("tagleaf", "KEYS", "Labels under these keys as frames at the leaf."),
    ("sample_index", "TYPE", "Which values: a sample type's name or number."),
    ("trim_path", "PATHS", "Prefixes to take from the paths of source files."),
    ("source_path", "PATHS", "Where source files are."),
)
_OF_VALUES = (
    ("mean", "The mean of a sample's value, by its first."),
    ("relative_percentages", "Shares of what the filters leave, not of everything."),
    ("drop_negative", "Leave out what got less."),
)
_OF_FRAMES = (
    ("noinlines", "Count inlined calls to their callers."),
    ("showcolumns", "Tell the columns of a line apart."),
)


def viewing(function: F) -> F:
    """pprof's options of what to look at; the command gets them as keywords for the API."""
    return _viewing(function, (*_OF_VALUES, *_OF_FRAMES))


def _viewing(function: F, flags: Sequence[tuple[str, str]]) -> F:
    for name, help_ in reversed(flags):
        function = click.option(f"--{name.replace('_', '-')}", name, is_flag=True, help=help_)(
            function
        )
    for name, metavar, help_ in reversed(_TEXTS):
        function = click.option(
            f"--{name.replace('_', '-')}", name, default="", metavar=metavar, help=help_
        )(function)
    return function


def capped(function: F) -> F:
    """`--max-bytes`; the command gets it where it is given."""

    @at_most("The most that is decompressed.")
    @functools.wraps(function)
    def wrapper(*args: Any, max_bytes: int | None, **kwargs: Any) -> Any:
        if max_bytes is not None:
            kwargs["max_bytes"] = max_bytes
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def fetching(function: F) -> F:
    """How the profiles are had, and what they are compared with."""

    @click.argument("files", nargs=-1, required=True, metavar="FILE|URL...")
    @click.option("--base", multiple=True, metavar="FILE", help="Less this profile; repeatable.")
    @click.option(
        "--diff-base", multiple=True, metavar="FILE", help="The same, in shares of the base."
    )
    @click.option("--normalize", is_flag=True, help="Scale to the base's total first.")
    @click.option(
        "--seconds",
        type=Number(min=0, min_open=True),
        help="How long to record, where a URL is given.",
    )
    @capped
    @authorised
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def sorted_by(function: F, last: str = "package, module or owner") -> F:
    """`--by`."""
    return click.option(
        "--by",
        default="function",
        show_default=True,
        metavar="WHAT",
        help=f"function, filefunction, file, line, address, {last}.",
    )(function)


def naming(function: F) -> F:
    """`--by`, `--stable-names`, `--binary` and `--codeowners`."""
    function = sorted_by(function)
    function = click.option(
        "--stable-names",
        is_flag=True,
        help="Closures as F.func, to compare the profiles of two toolchains.",
    )(function)
    function = click.option(
        "--codeowners",
        metavar="FILE",
        help="Whose code is whose, for --by owner [default: the repository's CODEOWNERS].",
    )(function)
    return program(function)


def sorting(function: F) -> F:
    """The same, and `--cum`."""
    return click.option("--cum", is_flag=True, help="Sort by cumulative cost.")(naming(function))


def program(function: F) -> F:
    """`--binary`."""
    return click.option(
        "--binary",
        metavar="FILE",
        help="The program that was profiled: for names, modules and machine code.",
    )(function)


def trimming(function: F) -> F:
    """`--nodefraction`, `--edgefraction` and `--nodecount`."""
    function = click.option(
        "--nodecount", type=click.IntRange(min=0), metavar="N", help="At most this many; 0 is all."
    )(function)
    for name, help_ in (
        ("edgefraction", "No calls below this share of the total."),
        ("nodefraction", "Nothing whose cumulative cost is below this share of the total."),
    ):
        function = click.option(f"--{name}", type=Number(0, 1), metavar="SHARE", help=help_)(
            function
        )
    return function


@click.group("profile", short_help="What a pprof profile is made of.")
def command() -> None:
    """CPU, heap and other pprof profiles: by function, package, call, label and source line.

    FILE may be the URL of a service, and - is standard input.
    """


def _command(
    name: str,
    summary: str,
    help_: str,
    *options: Callable[[F], F],
    about: str = "",
    default: str = "text",
) -> None:
    """A command that shows a view of that name; `about` is the argument before the files, and
    `default` the format that it is printed in.
    """

    def shown(files: tuple[str, ...], output: Output, expression: str = "", **kwargs: Any) -> int:
        from gocost.api.profile import profile

        if default == "html":
            output.for_a_browser("or add --format text")
        if name == "top" and output.format == "html":
            kwargs["flame"] = True
        output.emit(profile(*files, view=name, expression=expression, **kwargs))
        return 0

    function: Callable[..., Any] = fetching(
        viewing(
            functools.reduce(
                lambda made, option: option(made), reversed(options), reporting(shown, default)
            )
        )
    )
    if about:
        function = click.argument("expression", metavar=about)(function)
    command.command(name, short_help=summary, help=help_)(function)


@command.command("flame", short_help="A flame graph, as a page of its own.")
@fetching
@viewing
@sorting
@priced
@click.option(
    "--nodefraction",
    type=Number(0, 1),
    metavar="SHARE",
    help="Frames below this share of the total are put together.  [default: 0.00001]",
)
@functools.partial(reporting, default="html")
def flame_command(files: tuple[str, ...], output: Output, **options: Any) -> int:
    """A page with the flame graph of all stacks: search, zoom, callers and callees of a function.

    With --base or --diff-base colours show what grew and what shrank; with --policy CPU time and
    live memory are shown in money a month, too.
    """
    from gocost.api.profile import profile

    output.for_a_browser("or look at it at once: gocost profile view FILE")
    output.emit(profile(*files, view="flame", **options))
    return 0


_command(
    "top",
    "What costs most.",
    "What costs most, in itself and with what it calls; with --policy in money a month, too.",
    sorting,
    trimming,
    priced,
)
_command(
    "tree",
    "Callers and callees of every function.",
    "Callers and callees of every function, the most expensive first.",
    sorting,
    trimming,
    priced,
)
_command(
    "peek",
    "Callers and callees of some functions.",
    "Callers and callees of the functions that match REGEX.",
    sorting,
    priced,
    about="REGEX",
)
_command(
    "list",
    "Source with the cost of each line.",
    "The source of the functions that match REGEX, with what each line costs.",
    priced,
    about="REGEX",
)
_command(
    "disasm",
    "Machine code with the cost of each instruction.",
    "The machine code of the functions that match REGEX, with what each instruction costs.",
    program,
    priced,
    about="REGEX",
)
_command(
    "weblist",
    "Source and machine code, as a page of its own.",
    "The source of the functions that match REGEX, beneath each line its instructions.",
    program,
    priced,
    about="REGEX",
    default="html",
)
_command(
    "raw",
    "The profile itself: samples, locations, mappings.",
    "Samples with the ids of their locations, locations, mappings and what stands once.",
)
_command(
    "tags",
    "What was spent under each label.",
    "What was spent under each label (pprof's tags), by key.",
    priced,
)
_command(
    "traces",
    "Every sample with its labels and its stack.",
    "Every sample with its value, labels and stack, the most expensive first.",
)


@command.command("view", short_help="Look at it in a browser.")
@for_a_browser()
@fetching
@viewing
@sorting
@priced
@serving
def view_command(
    files: tuple[str, ...],
    base: tuple[str, ...],
    diff_base: tuple[str, ...],
    normalize: bool,
    policy: str | None,
    service: str | None,
    server: Server,
    **options: Any,
) -> int:
    """Serves pages about the profile to this machine until you press Ctrl-C: flame graph, table,
    callers and callees, call graph, labels; filters and values are chosen there. With --policy CPU
    time and live memory are shown in money a month, too.
    """
    from gocost.measures.profiles import Reading
    from gocost.viewer.profile_site import ProfileSite

    if policy is not None or service is not None:
        from gocost.api._governed import governed

        options["prices"] = governed(policy, service)
    reading = Reading(
        **{
            name: options.pop(name)
            for name in ("seconds", "headers", "max_bytes")
            if name in options
        }
    )
    recorded = reading.recorded(files, base, diff_base, normalize=normalize)
    server.run(ProfileSite(recorded, options))
    return 0


def _form(name: str, summary: str, help_: str, *more: Callable[[F], F]) -> None:
    """A command that writes a profile as another tool takes it."""

    def form_command(files: tuple[str, ...], output: str | None, **options: Any) -> int:
        from gocost.api.profile_forms import profile_forms
        from gocost.cli.output import write_lines

        write_lines(profile_forms(*files, form=name, **options), output)
        return 0

    function: Callable[..., Any] = click.option(
        "-o", "--output", type=FileToWrite(), help="Write to this file."
    )(form_command)
    function = functools.reduce(lambda made, option: option(made), reversed(more), function)
    command.command(name, short_help=summary, help=help_)(fetching(viewing(function)))


_form(
    "folded",
    "As folded stacks, for flame graph tools.",
    "Folded stacks: `root;...;leaf value`, a line a stack.",
    naming,
)
_form(
    "speedscope",
    "For speedscope.app.",
    "speedscope's own format; open it at speedscope.app.",
    naming,
)
_form(
    "callgrind", "For KCachegrind.", "callgrind's format, which KCachegrind and QCachegrind read."
)
_form(
    "dot",
    "As a call graph for Graphviz.",
    "The call graph of what costs most, for `dot -Tsvg`: at most 80 functions.",
    naming,
    trimming,
)
_form(
    "svg",
    "A picture of the call graph.",
    "The call graph of what costs most, drawn by Graphviz's dot: at most 80 functions.",
    naming,
    trimming,
)


@command.command("trend", short_help="Which allocation sites grow: leak, plateau or noise.")
@click.argument("files", nargs=-1, required=True, metavar="FILE|URL...")
@capped
@authorised
@lambda function: _viewing(function, _OF_FRAMES)
@lambda function: sorted_by(function, "package or module")
@reporting
def trend_command(files: tuple[str, ...], output: Output, **options: Any) -> int:
    """Three or more heap profiles of one service: what grows, how fast, and whether it goes on."""
    from gocost.api.profile_trend import profile_trend

    output.emit(profile_trend(*files, **options))
    return 0


@command.command("merge", short_help="Several profiles as one file.")
@fetching
@click.option("-o", "--output", required=True, type=FileToWrite(), metavar="FILE")
def merge_command(files: tuple[str, ...], output: str, **options: Any) -> int:
    """Several profiles as one, or the difference from --base, as a file that pprof reads."""
    from gocost.api.profile_forms import merged
    from gocost.cli.output import write_bytes

    write_bytes(merged(*files, pgo=output.endswith(".pgo"), **options), output)
    return 0
