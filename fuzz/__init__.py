"""Harnesses that feed decoders hostile input: one `fuzz_*.py` a decoder, over one runner."""
