"""The garbage collector: what it did, what set its pace, what other settings would do."""
