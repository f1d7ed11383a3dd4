from __future__ import annotations

import pytest

from newsletter.feedback.read import read
from newsletter.feedback.signal import Kind
from tests.unit.feedback.letters import EDITOR, READER, attached, letter

PERSON = {"from": f"Ada <{READER}>", "to": EDITOR}


def kinds(data: bytes) -> list[Kind]:
    return [signal.kind for signal in read(data)]


@pytest.mark.parametrize(
    "headers",
    [
        {"auto_submitted": "auto-replied", "subject": "Re: Number 56"},
        {"auto_submitted": "auto-replied (vacation)", "subject": "Back in May"},
        {"x_autoreply": "yes", "subject": "Thank you"},
        {"precedence": "auto_reply", "subject": "Thank you"},
        *(
            {"subject": subject}
            for subject in (
                "Out of Office: Number 56",
                "Automatic reply: Number 56",
                "Auto: Number 56",
                "Re: I am on vacation",
                "Automatische Antwort: Nummer 56",
                "Abwesenheitsnotiz",
                "Réponse automatique : numéro 56",
                "Absence du bureau",
                "Respuesta automática: número 56",
                "Risposta automatica: numero 56",
                "Resposta automática: número 56",
                "Automatisch antwoord: nummer 56",
                "Автоответ: номер 56",
                "自動返信: 56",
            )
        ),
    ],
    ids=lambda headers: " ".join(headers.values()),
)
def test_what_answers_for_a_person_is_an_automatic_reply_and_never_a_bounce(headers: dict[str, str]) -> None:
    text = "I am away and could not be reached; your message failed to interest me. bob@reader.example helps."
    assert kinds(letter(text, **{**PERSON, **headers})) == [Kind.AUTO_REPLY]


def test_an_automatic_reply_is_about_nobody_and_names_the_message_where_it_came_along() -> None:
    (signal,) = read(attached("I am away.", **{**PERSON, "subject": "Out of office"}))
    assert (signal.address, signal.token, signal.words) == ("", "t0ken", "Out of office")


def test_a_server_that_marks_its_bounces_as_replies_is_still_a_server() -> None:
    text = f"It failed:\n\n  {READER}\n    550 5.1.1 no such user\n"
    assert kinds(letter(text, auto_submitted="auto-replied", x_failed_recipients=READER)) == [Kind.BOUNCE]
    assert kinds(letter(text, auto_submitted="auto-replied")) == [Kind.BOUNCE]
    assert kinds(letter(text, list_id="<weekly.press.example>", precedence="bulk")) == [Kind.BOUNCE]


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        (
            "Your weekly news: mail that failed to arrive.",
            {"list_id": "<weekly.press.example>", "precedence": "bulk"},
        ),
        (
            "Our offers",
            {"list_unsubscribe": "<mailto:out@shop.example>", "subject": "Autumn", "from": "no-reply@shop.example"},
        ),
        ("Absent friends", {"subject": "Absence makes the heart", "list_id": "<poems.example>"}),
        ("I never got your message, what happened?", {"subject": "Number 56?"}),
        ("Your mailbox at mx.example is ready.", {"from": "postmaster@mx.example", "subject": "Welcome"}),
        ("", {"subject": ""}),
    ],
)
def test_newsletters_lists_and_letters_are_none_of_it(text: str, headers: dict[str, str]) -> None:
    assert kinds(letter(text, **{**PERSON, **headers})) == []


def test_a_message_that_a_person_forwards_is_none_of_it() -> None:
    assert kinds(attached("Look at this.", **{**PERSON, "subject": "Fwd: Number 56"})) == []
