import gocost
from gocost.model.errors import GocostError

try:
    report = gocost.check("gocost.yaml")
except GocostError as error:  # what the command prints on one line
    raise SystemExit(f"{error.message}; {error.hint}") from error

for finding in report.findings:
    print(finding.outcome, finding.rule, finding.fact.value if finding.fact else finding.reason)
