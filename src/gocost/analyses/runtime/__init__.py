"""What a Go runtime tells of itself: the health of its scheduler and memory."""
