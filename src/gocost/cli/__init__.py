"""The command line: one module a command, all thin callers of `gocost.api`."""
