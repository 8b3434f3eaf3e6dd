"""Goroutines as the runtime writes them down: `/debug/pprof/goroutine`, panics and SIGQUIT.

dump.py       what all forms become: columns
decoding.py   which form it is
stacks.py     debug=2, panics and SIGQUIT: every goroutine as text
apart.py      several of those in one text
json_lines.py logs that keep lines as JSON
grouped.py    debug=1: stacks with how many goroutines have each
profile.py    debug=0: the same as a pprof profile
"""
