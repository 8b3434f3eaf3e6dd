"""Load generators: what puts requests on a service while it is measured."""
