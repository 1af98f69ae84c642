"""Arcs as lines: a corner every four degrees, beginning and end exactly where they were. Heights are left out: an arc is flat."""

from math import ceil

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.float64]

STEP = 4.0


def through(positions: Positions) -> Positions:
    """The arcs through positions one behind the other: begin, middle, end which is the next begin. ValueError if their number is even."""
    flat = positions[:, :2]
    if len(flat) < 3 or len(flat) % 2 == 0:
        raise ValueError("an arc has three positions, a string of arcs an odd number")
    return np.vstack([flat[:1], *(_arc(*flat[index : index + 3]) for index in range(0, len(flat) - 2, 2))])


def circle(positions: Positions) -> Positions:
    """The whole circle through three positions, beginning with the first. ValueError if there is none."""
    if len(positions) != 3:
        raise ValueError("a circle has three positions")
    begin, middle, end = positions[:, :2]
    centre = _centre(begin, middle, end)
    if centre is None:
        raise ValueError("three positions on a line are on no circle")
    first = _angle(begin, centre)
    line = around(centre, float(np.hypot(*(begin - centre))), first, first + 360)
    line[0] = line[-1] = begin
    return line


def around(centre: Positions, radius: float, first: float, last: float) -> Positions:
    """The line around a centre from one angle to another, in degrees counted from the first axis against the clock."""
    if not abs(last - first) <= 360:
        raise ValueError("an arc goes round more than once")
    angles = np.radians(np.linspace(first, last, max(2, ceil(abs(last - first) / STEP) + 1)))
    line: Positions = np.column_stack([centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)])
    if abs(last - first) == 360:
        line[-1] = line[0]
    return line


def _arc(begin: Positions, middle: Positions, end: Positions) -> Positions:
    """The arc behind its begin; the line where the three lie on one."""
    closed = bool(np.array_equal(begin, end))  # a whole circle: the middle lies opposite
    centre = (begin + middle) / 2 if closed else _centre(begin, middle, end)
    if centre is None:
        return np.array([middle, end])
    first, via, last = (_angle(one, centre) for one in (begin, middle, end))
    sweep = 360.0 if closed else (last - first) % 360
    if (via - first) % 360 > sweep:
        sweep -= 360
    line = around(centre, float(np.hypot(*(begin - centre))), first, first + sweep)[1:]
    line[-1] = end
    return line


def _centre(begin: Positions, middle: Positions, end: Positions) -> Positions | None:
    """The middle of the circle through three positions; None if they lie on a line."""
    ahead, beyond = middle - begin, end - begin
    double = 2 * float(ahead[0] * beyond[1] - ahead[1] * beyond[0])
    if abs(double) <= 1e-12 * float(np.abs(ahead).max() * np.abs(beyond).max()):
        return None
    near, far = float(ahead @ ahead), float(beyond @ beyond)
    away = np.array([beyond[1] * near - ahead[1] * far, ahead[0] * far - beyond[0] * near])
    found: Positions = begin + away / double
    return found


def _angle(position: Positions, centre: Positions) -> float:
    east, north = position - centre
    return float(np.degrees(np.arctan2(north, east)))
