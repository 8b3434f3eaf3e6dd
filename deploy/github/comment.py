"""Keeps one comment of gocost on a pull request: finds it by its marker and updates it, or adds it.

    python comment.py comment.md

It takes what GitHub Actions sets: GITHUB_EVENT_PATH (the pull request's number), GITHUB_REPOSITORY,
GITHUB_API_URL and GITHUB_TOKEN. Only a comment that the same author made is updated
(GOCOST_COMMENT_AUTHOR, by default the bot of GITHUB_TOKEN): anyone can write the marker. A token
that may not comment, as on pull requests from forks, is a warning and not a failure: the job's
summary says the same. Only the standard library is used.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

MARKER = "<!-- gocost:report -->"
BOT = "github-actions[bot]"
PAGES = 50  # of 100 comments each; a longer conversation gets a second comment
TIMEOUT_S = 30


def main(arguments: list[str]) -> int:
    """The command line. Returns the exit code."""
    body = Path(arguments[0]).read_text(encoding="utf-8")
    if not body.startswith(MARKER):
        print(f"{arguments[0]} does not begin with {MARKER}", file=sys.stderr)
        return 2
    number = pull_request()
    if number is None:
        print("not a pull request: nothing to comment on")
        return 0
    try:
        print(publish(number, body))
    except urllib.error.HTTPError as error:
        print(f"::warning title=gocost::the comment was refused: HTTP {error.code} {error.reason}")
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"::warning title=gocost::the comment could not be sent: {error}")
    return 0


def pull_request() -> int | None:
    """The number of the pull request that this run is about."""
    path = os.environ.get("GITHUB_EVENT_PATH", "")
    event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    number = event.get("pull_request", {}).get("number")
    return number if isinstance(number, int) else None


def publish(number: int, body: str) -> str:
    """Update the comment or add it; says which. Raises urllib.error.URLError."""
    comments = f"/repos/{os.environ['GITHUB_REPOSITORY']}/issues/{number}/comments"
    found = mine(comments)
    if found is None:
        call("POST", comments, {"body": body})
        return "commented"
    if found["body"] == body:
        return "the comment is up to date"
    call(
        "PATCH",
        f"/repos/{os.environ['GITHUB_REPOSITORY']}/issues/comments/{found['id']}",
        {"body": body},
    )
    return "updated the comment"


def mine(comments: str) -> dict[str, Any] | None:
    """The first comment with the marker that the same author made."""
    author = os.environ.get("GOCOST_COMMENT_AUTHOR") or BOT
    for page in range(1, PAGES + 1):
        batch = call("GET", f"{comments}?per_page=100&page={page}")
        for comment in batch:
            by = (comment.get("user") or {}).get("login")
            if by == author and str(comment.get("body") or "").startswith(MARKER):
                return dict(comment)
        if len(batch) < 100:
            return None
    return None


def call(method: str, path: str, content: dict[str, Any] | None = None) -> Any:
    """One request to GitHub's API, and its JSON answer."""
    root = os.environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    request = urllib.request.Request(  # noqa: S310 - the runner says where its API is
        root + path,
        method=method,
        data=None if content is None else json.dumps(content).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "User-Agent": "gocost",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    # Not sent on to wherever a redirect may point.
    request.add_unredirected_header("Authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
