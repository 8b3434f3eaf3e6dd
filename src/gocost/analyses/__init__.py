"""Pure functions from decoded data to facts and tables, one question a file. No I/O."""
