"""Decompresses gzip up to a limit."""

from __future__ import annotations

import zlib

_AS_GZIP = zlib.MAX_WBITS + 16

MOST_MEMBERS = 20_000
"""The most gzip members of one body; the usual blocks of 64 KiB are far fewer."""


class TooLongError(Exception):
    """The decompressed body exceeds the limit."""


class Inflater:
    """Decompresses a body that comes in pieces.

    :param most_bytes: the limit of the decompressed size.
    """

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._members = 1
        self._stream = zlib.decompressobj(_AS_GZIP)
        self._is_empty = True

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing at the end; an empty body is whole, too."""
        return self._is_empty or self._stream.eof

    def feed(self, piece: bytes) -> bytes:
        """Decompress the next piece.

        :raises zlib.error: it is not gzip.
        :raises TooLongError: it is too much.
        """
        plain = []
        while piece:
            self._is_empty = False
            if self._stream.eof:
                self._begin_member()
            plain.append(self._stream.decompress(piece, self._left + 1))
            self._left -= len(plain[-1])
            if self._left < 0:
                raise TooLongError
            piece = self._stream.unused_data
        return b"".join(plain)

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise TooLongError
        self._stream = zlib.decompressobj(_AS_GZIP)
