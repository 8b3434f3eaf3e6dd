"""The kinds of limits that a rule can have: `max`, `min`, `one_of`, `is`, `growth`; a file each."""
