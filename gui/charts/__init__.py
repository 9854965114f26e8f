"""Pictures of prices and of time."""
