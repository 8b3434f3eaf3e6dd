"""Tests of the bill's accounts."""
