"""Pure decoders: bytes in, columns or records out. No I/O."""
