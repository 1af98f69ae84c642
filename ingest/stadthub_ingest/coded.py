"""Texts that come again and again as codes: each different text is looked at once, and a row holds its number."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

#: How such a column is typed.
CODED = pa.dictionary(pa.int32(), pa.string())


def mapped(array: pa.Array, function: Callable[[str], Any], to: pa.DataType) -> pa.Array:
    """The function of each text, asked once for each different one; null stays null. Texts come out coded."""
    encoded = array if isinstance(array, pa.DictionaryArray) else array.dictionary_encode()
    found = [None if text is None else function(text) for text in encoded.dictionary.to_pylist()]
    return picked(found, encoded.indices, to)


def picked(values: Sequence[Any], numbers: pa.Array, to: pa.DataType) -> pa.Array:
    """For each number the value of that place; texts come out coded, each different one once."""
    if to != pa.string():
        return pa.array(values, to).take(numbers)
    different = {value: code for code, value in enumerate(dict.fromkeys(value for value in values if value is not None))}
    codes = [None if value is None else different[value] for value in values]
    indices = numbers.cast(pa.int32()) if codes == list(range(len(codes))) else pa.array(codes, pa.int32()).take(numbers)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(different), pa.string()))


def repeated(text: str | None, length: int) -> pa.Array:
    """The same text in every row."""
    if text is None:
        return pa.nulls(length, CODED)
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), length), pa.array([text], pa.string()))


def numbered(array: pa.Array) -> tuple[list[str | None], pa.Array]:
    """The different texts and, for each row, the number of its text; a missing one has a number too."""
    encoded = array if isinstance(array, pa.DictionaryArray) else array.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    return [*texts, None], pc.fill_null(encoded.indices, len(texts))
