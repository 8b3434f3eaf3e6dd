"""One bill: what a service used, shared out to functions, packages, teams, labels and tasks."""
