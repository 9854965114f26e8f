"""Questions that never stop the loop."""
