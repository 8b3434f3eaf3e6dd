"""What a running service uses: from samples over time to the facts of one comparable picture."""
