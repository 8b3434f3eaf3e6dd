"""Adapters to the outside world: the only code that does I/O.

Each translates the errors of what it talks to into `SourceError`, chained, with what to do next.
"""
