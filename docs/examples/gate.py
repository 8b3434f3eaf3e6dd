import gocost
from gocost.model.errors import GocostError

try:
    report = gocost.check("gocost.yaml")
except GocostError as error:
    raise SystemExit(f"{error.message}; {error.hint}") from error

for finding in report.findings:
    if finding.outcome != "pass":
        print(finding.outcome, finding.rule, finding.message or finding.reason)
