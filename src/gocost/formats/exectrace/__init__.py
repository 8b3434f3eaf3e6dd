"""Execution traces of Go 1.22 and later: batches, their tables, and the events in order."""
