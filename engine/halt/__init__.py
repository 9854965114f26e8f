"""The halt ladder: paused, reducing, halted, flat, suspended. Each rung with what proves it."""
