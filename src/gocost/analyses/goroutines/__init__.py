"""Goroutines by where they were created and where they wait, and which of them leak.

names.py       functions and places: what a person is told of a stack
groups.py      goroutines with the same creator, stack and state, over dumps apart in time
patterns.py    how goroutines get stuck, and what to do about each (data)
allowances.py  what the service's owners say may grow
poisson.py     the test behind `probable`
verdicts.py    certain, probable, parked
tables.py      the tables and facts
"""
