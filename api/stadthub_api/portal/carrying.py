"""What the wizard's pages carry from step to step: the sample within the form, so that the hub keeps nothing of it.

A sample can hold data on people before anybody said what may be kept. It is therefore written nowhere: it travels in the page of
whoever brought it, which no cache may keep.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from stadthub_ingest.detection.detect import detect
from stadthub_ingest.detection.mapped import recast
from stadthub_ingest.detection.proposal import BECOMES, Field, Proposal
from stadthub_pipelines.sampling import Sample, parsed
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import FeedError

#: A text table is carried up to so many bytes of whole lines; packed, no sample may be larger than the second number.
TEXT, PACKED = 400_000, 7_000_000
#: And unpacked not than this: somebody may send a bomb.
UNPACKED = 25_000_000

#: Decoders whose columns can be mapped, and become another kind of dataset.
MAPPED = ("csv_table", "xlsx_table", "json_table")


def packed(sample: Sample, proposal: Proposal) -> str:
    """The sample as a hidden field of a form; FeedError if it is too large."""
    pieces = [(name, _part(body) if proposal.decoder == "csv_table" else body) for name, body in sample.pieces]
    told = orjson.dumps(
        {"source": sample.source, "pieces": [(name[:500], base64.b64encode(body).decode()) for name, body in pieces]}, default=str
    )
    field = base64.urlsafe_b64encode(zlib.compress(told, 6)).decode()
    if len(field) > PACKED:
        raise FeedError("this sample is too large for the wizard: take a smaller part of it, or use stadthub feed add on the command line")
    return field


def unpacked(field: str) -> Sample:
    """The sample out of the hidden field; FeedError if it is none of ours."""
    try:
        unpacker = zlib.decompressobj()
        told = orjson.loads(unpacker.decompress(base64.urlsafe_b64decode(field), UNPACKED))
        pieces = tuple((str(name), base64.b64decode(body)) for name, body in told["pieces"])
        source = dict(told["source"])
    except (binascii.Error, zlib.error, ValueError, KeyError, TypeError) as error:
        raise FeedError("the sample got lost on the way: begin again") from error
    if not pieces:
        raise FeedError("the sample got lost on the way: begin again")
    parsed(source)
    return Sample(pieces, source)


def _part(body: bytes) -> bytes:
    return body if len(body) <= TEXT else body[: body.rfind(b"\n", 0, TEXT) + 1] or body[:TEXT]


def proposed(sample: Sample, zone: str, form: Mapping[str, Any]) -> tuple[Proposal, tuple[Field, ...], Kind]:
    """What the sample is, and its mapping as the form wants it."""
    proposal = detect(sample.body, sample.name, "", zone)
    kind = proposal.kind
    fields = tuple(proposal.fields)
    wanted = str(form.get("kind", ""))
    if proposal.decoder in MAPPED and wanted in tuple(BECOMES) and wanted != proposal.kind:
        kind = Kind(wanted)
        fields = recast(fields, kind)
    if str(form.get("kind-before", kind)) == kind:
        fields = tuple(_edited(one, number, kind, form) for number, one in enumerate(fields))
    return proposal, fields, kind


def _edited(one: Field, number: int, kind: Kind, form: Mapping[str, Any]) -> Field:
    """The field with what the form says of it."""
    becomes = str(form.get(f"becomes-{number}", one.becomes))
    if becomes not in BECOMES[kind]:
        return one
    name = str(form.get(f"name-{number}", one.name)).strip()[:200] or one.name
    unit = str(form.get(f"unit-{number}", one.unit or "")).strip()[:40] or None
    return replace(one, becomes=becomes, name=name, unit=unit)
