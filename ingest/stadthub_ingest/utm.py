"""UTM to degrees (Krüger's series, ETRS89 and WGS 84 alike): for formats that write metres where degrees should stand."""

from math import asinh, atan, atan2, cos, cosh, sin, sinh, sqrt
from math import degrees as to_degrees

_A, _F = 6_378_137.0, 1 / 298.257222101
_N = _F / (2 - _F)
_RADIUS = _A / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_SCALE, _EASTING = 0.9996, 500_000.0
_BETA = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96,
    _N**2 / 48 + _N**3 / 15,
    17 * _N**3 / 480,
)
_EXCENTRICITY = sqrt(_F * (2 - _F))


def degrees(easting: float, northing: float, zone: int) -> tuple[float, float]:
    """Longitude and latitude of a place on the northern half of the world, to less than a centimetre."""
    xi, eta = northing / (_SCALE * _RADIUS), (easting - _EASTING) / (_SCALE * _RADIUS)
    if abs(eta) > 1:
        return float("nan"), float("nan")  # thousands of kilometres beside the zone: no place in it
    xi0 = xi - sum(beta * sin(2 * k * xi) * cosh(2 * k * eta) for k, beta in enumerate(_BETA, 1))
    eta0 = eta - sum(beta * cos(2 * k * xi) * sinh(2 * k * eta) for k, beta in enumerate(_BETA, 1))
    longitude = to_degrees(atan2(sinh(eta0), cos(xi0))) + 6 * zone - 183
    conformal = sin(xi0) / sqrt(sinh(eta0) ** 2 + cos(xi0) ** 2)
    return longitude, to_degrees(_geodetic(conformal))


def _geodetic(conformal: float) -> float:
    """The latitude whose conformal tangent this is, by Newton's steps."""
    tangent = conformal
    for _ in range(4):
        sigma = sinh(_EXCENTRICITY * _atanh(_EXCENTRICITY * tangent / sqrt(1 + tangent**2)))
        here = tangent * sqrt(1 + sigma**2) - sigma * sqrt(1 + tangent**2)
        slope = (1 + (1 - _EXCENTRICITY**2) * tangent**2) / ((1 - _EXCENTRICITY**2) * sqrt(1 + tangent**2) * sqrt(1 + here**2))
        tangent += (conformal - here) * slope
    return atan(tangent)


def _atanh(value: float) -> float:
    return asinh(value / sqrt(1 - value * value))
