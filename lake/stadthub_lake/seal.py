"""Sealed cursors: they hold keys of rows, also of columns that the caller may not see, so nobody can read or make one but the hub."""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from stadthub_schemas.errors import QueryError

#: AES-SIV takes two keys of 256 bits in one.
KEY_BYTES = 64

#: The text is filled up to whole blocks, so that its length tells little of what it holds.
_BLOCK = 64

_FOR = [b"stadthub cursor 1"]


class Seal:
    """Seals and opens texts under one key. The same text is always sealed alike, so that an unchanged page keeps its ETag."""

    def __init__(self, key: bytes | None = None) -> None:
        """Without a key a new one is made: what it seals can be opened by this very seal only."""
        self._cipher = AESSIV(os.urandom(KEY_BYTES) if key is None else key)

    def close(self, text: str) -> str:
        """The sealed text, fit for an address."""
        plain = text.encode()
        filled = plain.ljust(-(-len(plain) // _BLOCK) * _BLOCK)
        return base64.urlsafe_b64encode(self._cipher.encrypt(filled, _FOR)).decode().rstrip("=")

    def open(self, text: str) -> str:
        """What was sealed; QueryError for what this key never sealed."""
        try:
            sealed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
            return self._cipher.decrypt(sealed, _FOR).decode().rstrip(" ")
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise QueryError("cursor: it is broken, or was given before the hub was renewed: start again without it") from error
