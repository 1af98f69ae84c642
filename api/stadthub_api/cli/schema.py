"""`stadthub schema`: the JSON Schema of a feed file, with the options of each decoder, for editors that complete and check."""

from typing import Any

import typer

from stadthub_api.cli.output import print_json
from stadthub_ingest import registry
from stadthub_schemas.derived import Derived
from stadthub_schemas.exchange import KINDS
from stadthub_schemas.feed import Feed

app = typer.Typer(no_args_is_help=True, help="Schemas for editors.")

EXAMPLES = """
[bold]Example[/bold]: stadthub schema feed > feed.schema.json

Then write [bold]#:schema ./feed.schema.json[/bold] as first line of a feed file (Taplo, VS Code's Even Better TOML).
"""


@app.callback()
def schemas() -> None:
    """Schemas for editors."""


@app.command(epilog=EXAMPLES)
def feed() -> None:
    """The JSON Schema of a feed file."""
    print_json(feed_schema())


def feed_schema() -> dict[str, Any]:
    """The schema of a file of the folder: with `sql` it is a derived dataset, with `harvest` or `publish` an errand, else a feed."""
    schemas = {"sql": Derived.model_json_schema(), **{key: model.model_json_schema() for key, model in KINDS.items()}}
    parts: dict[str, Any] = {}
    rule: dict[str, Any] = {"$ref": "#/$defs/Feed"}
    for key, one in schemas.items():
        parts |= {**one.pop("$defs", {}), one["title"]: one}
        rule = {"if": {"required": [key]}, "then": {"$ref": f"#/$defs/{one['title']}"}, "else": rule}
    feed = _feed_schema()
    parts |= {**feed.pop("$defs"), "Feed": feed}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stadthub feed",
        "type": "object",
        **rule,
        "$defs": parts,
    }


def _feed_schema() -> dict[str, Any]:
    """The schema of Feed, in which `options` follow from `decoder`."""
    schema = Feed.model_json_schema()
    names = registry.names()
    schema["properties"]["decoder"] = {"enum": names, "description": "; ".join(f"{name}: {registry.find(name).caption}" for name in names)}
    rules = []
    for name in names:
        options = registry.find(name).Options.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        schema["$defs"].update({f"{name}.{key}": value for key, value in options.pop("$defs", {}).items()})
        options["properties"].pop("kind", None)  # it stands at the top of the file, the decoder is told of it
        schema["$defs"][f"{name}.Options"] = options
        wanted: dict[str, Any] = {"properties": {"options": {"$ref": f"#/$defs/{name}.Options"}}}
        if options.get("required"):
            wanted["required"] = ["options"]
        rules.append({"if": {"properties": {"decoder": {"const": name}}, "required": ["decoder"]}, "then": wanted})
    schema["allOf"] = rules
    return schema
