"""Tests over recorded real input, where it is present."""
