"""Whether the machine's clock is kept right by a time service, as the kernel sees it."""

import ctypes

#: adjtimex(2): the return value that says that nothing keeps the clock right, and room enough for its structure.
TIME_ERROR = 5
TIMEX_SIZE = 512


def is_synchronised() -> bool | None:
    """True or False as the kernel says; None where it can't be asked."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_SIZE))
    except (AttributeError, OSError):
        return None
    return None if state < 0 else bool(state != TIME_ERROR)
