"""What an alarm sounds like, when it sounds, and how that leaves the machine."""
