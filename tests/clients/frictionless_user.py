"""What somebody does with frictionless and a CKAN, as a program of its own: `python -W ignore frictionless_user.py <what> <address>
<token> <argument>…`; it prints what came of it as JSON. (frictionless leaves files open, about which Python warns.)"""

import json
import sys
from pathlib import Path
from typing import Any

from frictionless import Catalog, Package, Resource
from frictionless.exception import FrictionlessException
from frictionless.portals import CkanControl


def publish(address: str, token: str, folder: str, name: str) -> Any:
    """Write the tables of a folder as a data package."""
    tables = [Resource(name=path.stem, path=path.name, basepath=folder) for path in sorted(Path(folder).glob("*.csv"))]
    package = Package(
        name=name,
        title="Bäume",
        description="Alle Bäume",
        keywords=["Baum", "Straße"],
        licenses=[{"name": "cc-by-4.0"}],
        resources=tables,
    )
    package.infer()
    result = package.publish(control=CkanControl(baseurl=address, apikey=token, organization_name="amt"))
    return [result.url, result.context["dataset_id"]]


def read(address: str, token: str, name: str) -> Any:
    """Read the package of a dataset."""
    return Package(f"{address}/dataset/{name}", control=CkanControl(apikey=token)).to_descriptor()


def rows(address: str, token: str, name: str, resource: str) -> Any:
    """Read the rows of one of its tables."""
    package = Package(f"{address}/dataset/{name}", control=CkanControl(apikey=token))
    return [row.to_dict() for row in package.get_table_resource(resource).read_rows()]


def catalogues(address: str, token: str, controls: str) -> Any:
    """Read many datasets: those that each of the controls names."""
    asked = [CkanControl(baseurl=address, apikey=token, **one) for one in json.loads(controls)]
    return [sorted(one.name or "" for one in Catalog(control=control).datasets) for control in asked]


if __name__ == "__main__":
    try:
        print(json.dumps({one.__name__: one for one in (publish, read, rows, catalogues)}[sys.argv[1]](*sys.argv[2:])))
    except FrictionlessException as error:
        print(json.dumps({"error": str(error)}))
