"""Limits as code: reading `gocost.yaml`, and judging facts by the rules in it."""
