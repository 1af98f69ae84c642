"""Payload codecs: every file of the library is proven by its own vectors, and broken bytes are a sentence, never a crash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stadthub_ingest import codec
from stadthub_ingest.codec import Codec, Vector

CASES = [(name, number) for name in codec.names() for number in range(len(codec.load(name).vectors))]

#: Fields without a vector: values of a probe that no recorded payload has.
UNSHOWN = {"ADC_V", "Exit_count"} | {f"soil_{what}_depth_{depth}" for what in ("moisture", "temperature") for depth in (6, 7)}


@pytest.mark.parametrize(("name", "number"), CASES, ids=[f"{name}-{number}" for name, number in CASES])
def test_the_bytes_of_a_vector_become_its_values(name: str, number: int) -> None:
    one = codec.load(name)
    vector: Vector = one.vectors[number]
    found = codec.decode(one, bytes.fromhex(vector.hex), vector.port)
    assert {reading.name: reading.value for reading in found.readings} == pytest.approx(vector.values, abs=1e-9)
    assert tuple(int(reading.time.timestamp()) for reading in found.readings if reading.time) == vector.times
    assert (found.longitude, found.latitude) == (pytest.approx(vector.place) if vector.place else (None, None))
    assert (found.error is None) == (vector.error is None)
    assert vector.error is None or vector.error in str(found.error)


@pytest.mark.parametrize("name", codec.names())
def test_every_codec_has_a_vector_with_values_and_no_field_that_none_shows(name: str) -> None:
    one = codec.load(name)
    assert one.title
    shown = {key for vector in one.vectors for key in vector.values}
    fields = [*one.fields, *(f for group in one.groups for f in group.fields)]
    assert shown
    assert {f.name for f in fields if f.role == "value"} - shown <= UNSHOWN


@given(payload=st.binary(max_size=80), port=st.one_of(st.none(), st.integers(0, 255)))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_values_or_a_sentence(payload: bytes, port: int | None) -> None:
    for name in codec.names():
        found = codec.decode(codec.load(name), payload, port)
        assert found.error is None or found.error
        assert all(isinstance(reading.value, int | float | str) for reading in found.readings)


def test_bits_signs_and_orders_of_bytes() -> None:
    one = Codec.model_validate(
        {
            "title": "Probe",
            "endian": "little",
            "fields": [
                {"name": "low", "type": "i16", "mask": 0x0FFF},
                {"name": "high", "at": 0, "type": "u16", "mask": 0xF000},
                {"name": "big", "type": "i24", "endian": "big"},
                {"name": "last", "at": -4, "type": "f32", "scale": 2},
                {"name": "squared", "at": 2, "type": "u8", "polynomial": [1, 0, 1]},
            ],
        }
    )
    found = codec.decode(one, bytes.fromhex("ff3ffffffe0000803f"), None)
    assert {r.name: r.value for r in found.readings} == {"low": -1, "high": 3, "big": -2, "last": 2.0, "squared": 255 * 255 + 1}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"fields": [{"name": "a", "unit": "Grad"}]}, "is not a UCUM code"),
        ({"fields": [{"name": "a", "divisor": 0}]}, "must not be 0"),
        ({"fields": [{"name": "a", "type": "u12"}]}, "Input should be"),
        ({"groups": [{"length": 2}]}, "groups need flags"),
        ({}, "needs fields, groups or items"),
        ({"fields": [{"name": "a", "eval": "1+1"}]}, "Extra inputs"),
    ],
)
def test_a_wrong_codec_is_told(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Codec.model_validate({"title": "Probe", **wrong})
