"""The shape of files in layers, as GDAL reads them: their options, and a row for each feature."""

from collections.abc import Iterator
from typing import Any

import shapely
from pydantic import Field

from stadthub_ingest.crs import CRS84, Crs
from stadthub_ingest.decoded import Decoded, Unreadable
from stadthub_ingest.feature_json import Featured, declared_crs
from stadthub_ingest.gdal import Layer


class Layered(Featured):
    """The options that files in layers share."""

    layer: str | None = Field(default=None, description="which layer, where the file holds several")


def features_of(layer: Layer, options: Featured) -> Iterator[Decoded]:
    """One row for each feature of the layer; without options.id its number in the file is the id. Easting always comes first in such files."""
    crs = options.system(CRS84 if layer.crs is None or options.crs is not None else Crs(declared_crs(layer.crs).code))
    special = (layer.id_column, layer.geometry_column)
    columns = {name: layer.table[name].to_pylist() for name in layer.table.column_names if name not in special}
    numbers = layer.table[layer.id_column].to_pylist()
    shapes = _shapes(layer)
    for index, number in enumerate(numbers):
        properties = {name: cells[index] for name, cells in columns.items()}
        identity = number if options.id is None else properties.get(options.id)
        yield {"id": identity, "geometry": shapes[index], "properties": options.kept(properties), "crs": crs}


def _shapes(layer: Layer) -> list[Any]:
    if layer.geometry_column is None:
        return [None] * layer.table.num_rows
    bodies = layer.table[layer.geometry_column].to_pylist()
    shapes = shapely.from_wkb(bodies, on_invalid="ignore")
    return [
        Unreadable("", "it has no form on a map") if shape is None and body is not None else shape
        for body, shape in zip(bodies, shapes, strict=True)
    ]
