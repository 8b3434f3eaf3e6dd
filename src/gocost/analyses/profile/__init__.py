"""Questions about a pprof profile: what to look at, what it sums to, how two of them differ."""
