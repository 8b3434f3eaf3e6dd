"""Recorded files as relational tables, for SQL."""
