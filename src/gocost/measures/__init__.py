"""How metrics are got from a target: the one place that joins sources, formats and analyses."""
