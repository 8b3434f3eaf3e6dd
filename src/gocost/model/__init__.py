"""Facts, metrics, findings, quantities and errors: the words everything else speaks. No I/O."""
