"""Bytes with holes, to be filled again and again: what is the same for everyone is encoded and joined beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Context = Mapping[str, Any]
Fill = Callable[[Context], bytes]
Piece = bytes | Fill


class Program:
    """Makes the pieces it is given, one after the other, for any context; a fill that occurs often is called once."""

    __slots__ = ("_fills", "_order", "_pieces")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        # A fixed piece before each hole, and one after the last: the holes are at the odd places.
        self._pieces = [b""]
        self._order: list[int] = []
        fills: dict[Fill, int] = {}
        for piece in pieces:
            if isinstance(piece, bytes):
                self._pieces[-1] += piece
            else:
                self._pieces += (b"", b"")
                self._order.append(fills.setdefault(piece, len(fills)))
        self._fills = tuple(fills)

    @property
    def start(self) -> bytes:
        """What it makes for everyone, up to the first hole."""
        return self._pieces[0]

    def run(self, context: Context) -> bytes:
        """What it makes for one recipient."""
        values = [fill(context) for fill in self._fills]
        pieces = self._pieces.copy()
        pieces[1::2] = [values[index] for index in self._order]
        return b"".join(pieces)
