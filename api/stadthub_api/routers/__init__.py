"""One router per standard; no router imports another."""
