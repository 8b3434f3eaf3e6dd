"""Policies that several tests read."""

EXAMPLE = """\
version: 1
team: checkout
prices: default
extends: [org.yaml]
presets: [standard]
services:
  payments:
    package: ./cmd/payments
    build: {flags: [-trimpath, "-ldflags=-s -w"], env: {CGO_ENABLED: "0"}, platform: linux/amd64}
    run:
      command: ["{binary}", "--listen=127.0.0.1:{port}"]
      ready: "http://127.0.0.1:{port}/healthz"
      load: {vegeta: load/pay.targets, rate: 500/s, duration: 10 s}
    deployment:
      {replicas: 12, cpu: 500m, memory: 256 MiB, deploys_per_month: 40, requests_per_month: 90 M}
    rules:
      - {metric: memory.rss.peak, max: 64 MiB}
rules:                            # for every service of the file
  - {metric: binary.size, max: 12 MiB, growth: 5%}
  - {metric: binary.linkage, one_of: [static, static-pie]}
  - {id: pauses, metric: gc.pause.p99, max: 15 ms, for: 30 s, severity: warning}
waivers:
  - {rule: pauses, select: {service: payments}, owner: checkout, reason: "old kernel",
     expires: 2027-03-31}
"""
"""The form that the documentation shows."""

ORGANISATION = """\
version: 1
rules:
  - {id: org-size, metric: binary.size, max: 40 MiB, locked: true}
"""

MINIMAL = """\
version: 1
services:
  app: {}
"""


def with_rules(*rules: str) -> str:
    """A minimal policy with these rules, one a line."""
    return MINIMAL + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules)
