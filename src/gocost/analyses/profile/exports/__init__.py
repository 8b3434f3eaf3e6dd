"""A view of a profile in the forms of other tools: one file a form."""
