"""What goes wrong outside, and what must not come of it."""
