"""Rank tests, shifts, intervals and false discovery, on numpy alone.

Importing scipy.stats takes most of a second, which every `gocost bench` would pay; scipy and
benchstat are the oracles of the tests instead.
"""
