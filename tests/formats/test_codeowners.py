"""CODEOWNERS as GitHub and GitLab read it; patterns as git itself matches them."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from gocost.formats import codeowners
from gocost.model.errors import FormatError

GITHUB = b"""\
* @all
*.go @go   # inline
/cmd/api/ @api @org/second
/cmd/api/gen/
docs/* docs@x.org
apps/ @apps
build/logs @logs
**/tmp @tmp
a/**/z @az
my\\ folder/ @space
/everything/** @deep
"""
OWNED = {
    "README": "@all",
    "x/y.go": "@go",
    "cmd/api/x.go": "@api @org/second",
    "cmd/api/gen/x.go": "",
    "other/cmd/api/x.go": "@go",
    "docs/a": "docs@x.org",
    "docs/b/c": "@all",
    "q/docs/a": "@all",
    "q/apps/x": "@apps",
    "apps": "@all",
    "build/logs/1": "@logs",
    "q/build/logs/1": "@all",
    "q/tmp/1": "@tmp",
    "a/z": "@az",
    "a/b/c/z/k": "@az",
    "my folder/f": "@space",
    "my": "@all",
    "everything/a/b": "@deep",
}
GITLAB = b"""\
* @fallback

[Docs] @writers
docs/
docs/* @root-docs
README.md @alice

^[Database][2] @dba @@maintainer
model/db/
!model/db/generated.go
model/db/setup.go @ops

[docs]
*.md @editors
"""
IN_SECTIONS = {
    "main.go": "@fallback",
    "docs/a": "@fallback @root-docs",
    "x/docs/b/c": "@fallback @writers",
    "x/README.md": "@fallback @editors",
    "x/model/db/a.go": "@fallback @dba @@maintainer",
    "model/db/setup.go": "@fallback @ops",
    "model/db/generated.go": "@fallback",
}


@pytest.mark.parametrize("path", OWNED)
def test_the_last_line_that_matches_wins(path: str) -> None:
    assert " ".join(codeowners.decode(GITHUB).owners(path)) == OWNED[path]


@pytest.mark.parametrize("path", IN_SECTIONS)
def test_every_section_of_gitlab_names_owners_of_its_own(path: str) -> None:
    assert " ".join(codeowners.decode(GITLAB).owners(path)) == IN_SECTIONS[path]


def test_gitlab_matches_paths_anywhere_and_folders_by_their_slash() -> None:
    text = b"lib/web @web\n/lib/api/** @api\n[ab]?.go @short\n\\#odd @odd\n"
    found = codeowners.decode(text, gitlab=True)
    assert found.owners("x/lib/web") == ("@web",)
    assert found.owners("lib/web/x.go") == ()
    assert found.owners("lib/api/x.go") == ("@api",)
    assert found.owners("lib/api/v1/x.go") == ()
    assert found.owners("x/b1.go") == ("@short",)
    assert found.owners("#odd") == ("@odd",)


def test_lines_that_are_wrong_are_passed_over_and_told() -> None:
    found = codeowners.decode(b"* @all\n[x].go @a\n!b @b\n/ @c\nc @ok bad\n\\#d @d\n")
    assert found.owners("x.go") == found.owners("c") == ("@all",)
    assert [fault.partition(":")[0] for fault in found.faults] == [
        "line 2", "line 3", "line 4", "line 5", "line 6"
    ]  # fmt: skip
    assert "bad is neither @name, @org/team nor an address" in found.faults[3]
    assert codeowners.decode(b"[z-a]x @a", gitlab=True).faults
    assert codeowners.decode(b"a" * 5000 + b" @a").faults


def test_a_file_that_no_forge_would_load() -> None:
    with pytest.raises(FormatError, match="larger"):
        codeowners.decode(b"#" * (codeowners.MAX_BYTES + 1))
    with pytest.raises(FormatError, match="zero bytes"):
        codeowners.decode(b"\x7fELF\0\0")


def test_patterns_match_what_git_matches(tmp_path: Path) -> None:
    # GitHub's documentation makes gitignore the reference, but for `folder/*`.
    rng = random.Random(20)
    words = ["a", "b", "ab", "a.go", "b.go"]
    paths = sorted({"/".join(rng.choices(words, k=rng.randint(1, 4))) for _ in range(300)})
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    compared = 0
    for _ in range(150):
        parts = rng.choices(["a", "b", "ab", "*.go", "a*", "?b", "**", "*b*", "a.go"],
                            k=rng.randint(1, 3))  # fmt: skip
        pattern = rng.choice(["", "/"]) + "/".join(parts) + rng.choice(["", "", "/"])
        (tmp_path / ".gitignore").write_text(f"{pattern}\n")
        command = ["git", "-C", str(tmp_path), "check-ignore", "--no-index", "--stdin"]
        done = subprocess.run(
            command, input="\n".join(paths), capture_output=True, text=True, check=False
        )
        ours = codeowners.decode(f"{pattern} @x\n".encode())
        assert [path for path in paths if ours.owners(path)] == done.stdout.split(), pattern
        compared += len(done.stdout.split())
    assert compared > 1000
