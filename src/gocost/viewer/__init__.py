"""Pages about a recorded file, served to a browser on the same machine."""
