"""Every byte of a binary: what it is, where it is, whose it is, and what changed."""
