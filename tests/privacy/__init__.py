"""Privacy, tested over the whole way of a value: what may be stored, and what anybody is shown."""
