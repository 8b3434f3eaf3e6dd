"""What makes a finding the same finding tomorrow, and where it is pointed out.

CI systems follow a finding from run to run by its fingerprint. It is made of what was judged (rule,
service, labels, file and function), never of the measured value or the line, which move.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import msgspec

from gocost.model.finding import Finding, Location

POLICY: Final = "gocost.yaml"


def fingerprints(findings: list[Finding]) -> Iterator[str]:
    """One for each finding, in order, none twice: a repeated one is told apart by its count."""
    seen: dict[str, int] = {}
    for finding in findings:
        text = "\0".join(_identity(finding))
        seen[text] = seen.get(text, 0) + 1
        again = f"\0{seen[text]}" if seen[text] > 1 else ""
        digest = hashlib.sha256((text + again).encode("utf-8", "surrogatepass"))
        yield digest.hexdigest()[:32]


def place(finding: Finding) -> Location:
    """Where to point: the finding's own place, or the policy, as a path with forward slashes."""
    location = finding.location
    path = location.path.replace("\\", "/").removeprefix("./") or POLICY
    return msgspec.structs.replace(location, path=path, line=max(location.line, 1))


def _identity(finding: Finding) -> Iterator[str]:
    yield from (finding.rule, finding.metric, finding.subject.service)
    yield finding.limit.kind if finding.limit is not None else ""
    if finding.fact is not None:
        for name, value in sorted(finding.fact.labels.items()):
            yield f"{name}={value}"
    yield from (place(finding).path, finding.location.function, finding.location.module)
