"""The shipped SQL models: the same golden answers from two engines."""
