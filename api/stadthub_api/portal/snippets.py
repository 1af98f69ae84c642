"""The dataset with its current filter, as a few lines for the tools that people use."""

from dataclasses import dataclass

from stadthub_schemas.dataset import Kind

TOOLS: dict[str, tuple[str, str]] = {
    "curl": ("curl", 'curl --fail --location --output {name}.csv \\\n  "{csv}"'),
    "python": (
        "Python (pandas)",
        'import pandas as pd\n\ndata = pd.read_parquet(\n    "{parquet}"\n)\nprint(data.head())',
    ),
    "r": ("R", 'library(readr)\n\ndata <- read_csv(\n  "{csv}"\n)\nhead(data)'),
    "duckdb": ("DuckDB", "INSTALL httpfs;\nLOAD httpfs;\nSELECT *\nFROM read_csv('{csv}')\nLIMIT 10;"),
    "qgis": ("QGIS", "{geojson}"),
}

#: For readers, in German: what to do with the address in QGIS.
QGIS_WAY = "In QGIS: Layer, Layer hinzufügen, Vektorlayer hinzufügen, Protokoll HTTP(S), und diese Adresse als URI einsetzen."


@dataclass(frozen=True, slots=True)
class Snippet:
    """A few lines for one tool."""

    id: str
    title: str
    text: str


def snippets(name: str, kind: Kind, addresses: dict[str, str]) -> list[Snippet]:
    """The lines for each tool; QGIS only where there is something to draw."""
    wanted = [tool for tool in TOOLS if tool != "qgis" or kind is not Kind.TABLE]
    return [Snippet(tool, TOOLS[tool][0], TOOLS[tool][1].format(name=name, **addresses)) for tool in wanted]
