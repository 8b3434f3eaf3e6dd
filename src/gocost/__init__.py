"""Cost governance for Go services, as code."""
