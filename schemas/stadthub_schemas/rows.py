"""The shapes in which rows travel between rooms, as Arrow schemas. One table of names, read by judge, lake and faces.

A decoder yields plain dicts:

* `timeseries`: `thing`, `observed_property`, `phenomenon_time`, `result` (all required); `unit`, `thing_name`, `longitude`,
  `latitude`, `sensor`, `quality`, `parameters` (a dict) if known. `phenomenon_time` may be text (ISO 8601), a datetime or
  epoch seconds; `result` may be a number, text or bool.
* `features`: `id`, `geometry` (GeoJSON geometry, WKT or a shapely geometry), `properties` (a dict); `crs` where the geometry is in another
  CRS than CRS84.
* `table`: the columns by name.

The judge turns them into the Arrow tables below.
"""

import pyarrow as pa

_TIME = pa.timestamp("us", tz="UTC")

#: What the judge hands to the lake for a `timeseries`: one row an observation, with the words of its entities beside it.
OBSERVATIONS_IN = pa.schema(
    [
        pa.field("thing", pa.string(), nullable=False),
        pa.field("observed_property", pa.string(), nullable=False),
        pa.field("phenomenon_time", _TIME, nullable=False),
        pa.field("result", pa.float64()),
        pa.field("result_text", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("quality", pa.string()),
        pa.field("thing_name", pa.string()),
        pa.field("sensor", pa.string()),
        pa.field("longitude", pa.float64()),
        pa.field("latitude", pa.float64()),
        pa.field("parameters", pa.string()),
        pa.field("received_time", _TIME, nullable=False),
    ]
)

#: The same for large payloads: words that come again and again are coded, so that nobody has to look at each row's text.
CODED_WORDS = ("thing", "observed_property", "unit", "quality", "thing_name", "sensor")
OBSERVATIONS_CODED = pa.schema(
    [field.with_type(pa.dictionary(pa.int32(), pa.string())) if field.name in CODED_WORDS else field for field in OBSERVATIONS_IN]
)

#: What the judge hands to the lake for `features`: geometry as WKB in CRS84, attributes as one JSON object a row, and the geometry with
#: the very numbers that came (easting or longitude first) with the code of its CRS, where that is not CRS84.
FEATURES_IN = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("geometry", pa.binary()),
        pa.field("properties", pa.string(), nullable=False),
        pa.field("original_geometry", pa.binary()),
        pa.field("original_crs", pa.string()),
    ]
)

#: A row that was refused: where it stood (`position` in the raw log, `row` in the payload), why, and how it looked.
REJECTS = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("received_time", _TIME, nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("excerpt", pa.string(), nullable=False),
    ]
)

#: How much of a refused row is kept to be looked at; the whole payload stands in the raw log.
EXCERPT = 1000


def datastream_key(thing: str, observed_property: str) -> str:
    """The stable key of a datastream."""
    return f"{thing}:{observed_property}"
