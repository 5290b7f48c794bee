"""laboratory."""
