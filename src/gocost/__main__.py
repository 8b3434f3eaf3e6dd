"""`python -m gocost` is the `gocost` console script."""

from gocost.cli.main import main

main()
