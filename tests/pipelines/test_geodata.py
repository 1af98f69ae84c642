"""A map layer that is pulled: every page of it one version, in CRS84 with the original beside it, mended geometries told."""

import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow.parquet as pq
import shapely

from stadthub_schemas.query import RowsQuery
from tests.pipelines.running import METADATA, running
from tests.servers import Answer, Asked, WebServer

FEED = """
id = "trees"
title = "Trees"
dataset = "trees"
kind = "features"
decoder = "wfs"
[source]
type = "http"
url = "{url}/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames=x:baum"
every = "PT0.3S"
paging = {{ by = "offset", path = "numberReturned", parameter = "startIndex", page_size = 2, size_parameter = "count" }}
[options]
id = "nr"
""" + METADATA.replace("{", "{{").replace("}", "}}")

TREE = (
    '<w:member><x:baum><x:nr>{number}</x:nr><x:art>{kind}</x:art><x:ort><g:Point srsName="urn:ogc:def:crs:EPSG::31467">'
    "<g:pos>{north} 3405000.125</g:pos></g:Point></x:ort></x:baum></w:member>"
)
LOOP = (
    '<w:member><x:baum><x:nr>9</x:nr><x:ort><g:Polygon srsName="EPSG:25832"><g:exterior><g:LinearRing><g:posList>'
    "409000 5765000 409100 5765100 409100 5765000 409000 5765100 409000 5765000"
    "</g:posList></g:LinearRing></g:exterior></g:Polygon></x:ort></x:baum></w:member>"
)


def answers(members: list[str]) -> Callable[[Asked], Answer]:
    """A WFS that gives these features, as many as it is asked for."""

    def answer(asked: Asked) -> Answer:
        query = dict(parse_qsl(urlsplit(asked.path).query))
        start = int(query.get("startIndex", "0"))
        given = members[start : start + int(query["count"])]
        head = f'<w:FeatureCollection xmlns:w="urn:w" xmlns:g="urn:g" xmlns:x="urn:x" numberReturned="{len(given)}">'
        return Answer((head + "".join(given) + "</w:FeatureCollection>").encode())

    return answer


def trees(*kinds: str) -> list[str]:
    return [TREE.format(number=number, kind=kind, north=5759000 + number) for number, kind in enumerate(kinds, 1)]


def test_each_pull_is_a_version_with_originals_and_what_was_mended_is_told(tmp_path: Path, web_server: WebServer) -> None:
    web_server.answers["/wfs"] = answers([*trees("Linde", "Eiche", "Ahorn"), LOOP])
    with running(tmp_path, {"trees": FEED.format(url=web_server.url)}, allowed_hosts=["127.0.0.1"]) as hub:
        hub.wait(lambda: hub.count("trees") == 4)
        rows = {row["id"]: row for row in hub.lake.rows(RowsQuery("trees")).table.to_pylist()}
        place, original = (shapely.from_wkb(rows["1"][name]) for name in ("geometry", "original_geometry"))
        assert (original.x, original.y, rows["1"]["original_crs"]) == (3405000.125, 5759001, "EPSG:31467")
        assert place.distance(shapely.Point(7.617, 51.9568)) < 0.0002
        assert rows["9"]["original_crs"] == "EPSG:25832"
        assert shapely.from_wkb(rows["9"]["geometry"]).is_valid
        hub.wait(lambda: hub.reader.rejects("trees").num_rows == 1)
        (told,) = hub.reader.rejects("trees").to_pylist()
        assert told["reason"].startswith("geometry: mended and kept: Self-intersection")
        assert hub.catalog.feed("trees").counts.rejected == 0
        first = hub.reader.snapshot("trees").version
        web_server.answers["/wfs"] = answers(trees("Linde", "Buche"))
        hub.wait(lambda: hub.count("trees") == 2)
        assert hub.reader.snapshot("trees").version == first + 1
        parquet = pq.read_table(io.BytesIO(b"".join(hub.lake.export(RowsQuery("trees", limit=None), "parquet"))))
        assert {"original_geometry", "original_crs"} <= set(parquet.column_names)
        assert b"original_geometry" not in b"".join(hub.lake.export(RowsQuery("trees", limit=None), "geojson"))
