from __future__ import annotations

import pytest

from newsletter.rendering.program import Context, Piece, Program


def name(context: Context) -> bytes:
    return f"<{context['name']}>".encode()


def town(context: Context) -> bytes:
    return f"[{context['town']}]".encode()


@pytest.mark.parametrize(
    ("pieces", "made"),
    [
        ([], b""),
        ([b"a"], b"a"),
        ([b"a", b"b", b"c"], b"abc"),
        ([name], b"<Ada>"),
        ([name, town, name], b"<Ada>[Li\xc3\xa8ge]<Ada>"),
        ([b"a", name, b"b", b"c", town, b"d"], b"a<Ada>bc[Li\xc3\xa8ge]d"),
        ([name, b"a", name, b"b"], b"<Ada>a<Ada>b"),
    ],
)
def test_pieces_are_made_in_their_order(pieces: list[Piece], made: bytes) -> None:
    assert Program(pieces).run({"name": "Ada", "town": "Liège"}) == made


def test_a_program_keeps_nothing_of_one_recipient_for_the_next() -> None:
    program = Program([b"a", name, b"b"])
    assert [program.run({"name": one}) for one in ("Ada", "", "Ada")] == [b"a<Ada>b", b"a<>b", b"a<Ada>b"]


def test_a_fill_that_occurs_often_is_called_once_a_recipient() -> None:
    calls = []

    def fill(context: Context) -> bytes:
        calls.append(context)
        return b"x"

    assert Program([fill, b"-", fill, fill]).run({}) == b"x-xx"
    assert len(calls) == 1


def test_a_program_tells_what_it_starts_with_for_everyone() -> None:
    assert Program([b"a", b"b", name, b"c"]).start == b"ab"
    assert Program([name, b"c"]).start == b""
    assert Program([]).start == b""
