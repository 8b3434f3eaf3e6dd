"""Questions about an execution trace: who ran, who waited, for what and for how long."""
