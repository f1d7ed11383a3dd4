from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import SourceError
from newsletter.rendering.compile import warnings
from newsletter.rendering.document import read_document
from newsletter.rendering.front_matter import FrontMatter, split
from tests.unit.rendering.reading import fault


def front(*lines: str) -> FrontMatter:
    source = "\n".join(("---", *lines, "---", "Body.\n"))
    return split(source, "issue.md")[0]


def front_fault(*lines: str) -> tuple[int | None, str]:
    return fault("\n".join(("---", *lines, "---", "Body.\n")))


def test_every_key_is_read() -> None:
    read = front(
        'title: "Kazakhstan : deux jours"',
        "number: 56",
        "subject: N° 56",
        "preheader: Ce qui suit",
        "author: Kadir Duran",
        "date: 2026-03-13",
        "language: fr-BE",
        "theme: magazine",
        "lists: vendredi, samedi",
        'segment: city = "Liège" and opened any of last 5',
        "tags: [asie centrale, vote, vote]",
        "canonical: https://example.org/56",
        "schedule: 2026-03-13 07:00",
        "embed: cid",
    )
    assert read == FrontMatter(
        title="Kazakhstan : deux jours",
        subject="N° 56",
        number=56,
        preheader="Ce qui suit",
        author="Kadir Duran",
        date=date(2026, 3, 13),
        language="fr-BE",
        theme="magazine",
        lists=("vendredi", "samedi"),
        segment='city = "Liège" and opened any of last 5',
        tags=("asie centrale", "vote"),
        canonical="https://example.org/56",
        schedule="2026-03-13 07:00",
        embed=True,
    )


def test_only_a_title_is_needed_and_the_subject_falls_back_on_it() -> None:
    assert front("title: Un titre", "subject:", "author: ~") == FrontMatter("Un titre", "Un titre")


def test_the_body_starts_after_the_second_line_of_dashes() -> None:
    assert split("---\ntitle: T\n---\n\nOne\n---\nTwo\n", "issue.md")[1:] == ("\nOne\n---\nTwo\n", 3)


def test_a_body_may_be_empty() -> None:
    assert split("---\ntitle: T\n---", "issue.md")[1:] == ("", 2)


@pytest.mark.parametrize("source", ["", "# Title\n", "title: T\n", "---\ntitle: T\n", " ---\ntitle: T\n---\n"])
def test_an_issue_without_front_matter_is_told_how_to_start(source: str) -> None:
    line, message = fault(source)
    assert line == 1
    assert "start the file with a line of ---" in message


@pytest.mark.parametrize(
    ("lines", "at", "expected"),
    [
        (["number: 5"], 1, "lacks a title"),
        (["number: 5", "title:"], 3, "lacks a title"),
        (["title: '  '"], 2, "lacks a title"),
        ([""], 2, "lines of “key: value”"),
        (["just words"], 2, "lines of “key: value”"),
        (["- a", "- b"], 2, "lines of “key: value”"),
        (["title: T", "author: [Ada, Bob]"], 3, "author must be one line of text"),
        (["title: T", "author: {a: b}"], 3, "author must be one line of text"),
        (["title: {{ subscriber.first_name }}"], 2, "in quotes"),
        (["title: T", "? [a]", ": b"], 3, "a key must be one line of text"),
        (["title: T", "number: 5", "number: 6"], 4, "number stands on line 3 already"),
        (["title: T", "", "number: many"], 4, "number must be a whole number, not “many”"),
        (["title: T", "number: -1"], 3, "number must be a whole number"),
        (["title: T", "number: 5.5"], 3, "number must be a whole number"),
        (["title: T", "number: 2147483648"], 3, "number must be a whole number"),
        (["title: T", "number: yes"], 3, "number must be a whole number"),
        (["title: T", "date: 13/03/2026"], 3, "date must look like 2026-03-13"),
        (["title: T", "date: 2026-02-30"], 3, "date must look like 2026-03-13 and exist, not “2026-02-30”"),
        (["title: T", "date: '2026-13-01'"], 3, "date must look like 2026-03-13"),
        (["title: T", "language: français"], 3, "language must be a tag such as fr or pt-BR, not “français”"),
        (["title: T", "language: f"], 3, "language must be a tag"),
        (["title: 'T"], 2, "not YAML"),
        (["title: T", "author: @ada"], 3, "not YAML"),
        (["title: T", "author: *ada"], 3, "not YAML"),
        (["title: T", "author: a\x85\x9cb"], 3, "U+009C"),
        (['title: "a\\x03b"'], 2, "title holds the character U+0003"),
        (["title: T", 'subject: "a\\ud800b"'], 3, "subject holds the character U+D800"),
        (["title: T", "canonical: example.org/56"], 3, "canonical must be an address such as https://example.org/56"),
        (["title: T", "canonical: 'https://e.org/{{ subscriber.name }}'"], 3, "canonical must be an address"),
        (["title: T", "embed: yes"], 3, "embed must be cid or left out, not “yes”"),
        (["title: T", "tags: [[a], b]"], 3, "tags must be one line of text"),
        (["title: T", "tags: '{{ subscriber.name }}'"], 3, "tags cannot hold a merge tag"),
        (["title: T", "lists: ['{{ subscriber.name }}']"], 3, "lists cannot hold a merge tag"),
        (["title: T", "segment: '{{ subscriber.name }}'"], 3, "segment cannot hold a merge tag"),
        (["title: T", "schedule: '{{ subscriber.name }}'"], 3, "schedule cannot hold a merge tag"),
        (["title: T {{ subscriber.first_name }}"], 2, "title cannot hold a merge tag"),
        (["title: T", "author: '{% if subscriber.name %}'"], 3, "author cannot hold a merge tag"),
        (["title: T", "subject: Dear {{ subscriber.frist_name }}"], 3, "did you mean subscriber.first_name?"),
        (["title: T", "", "preheader: '{% if subscriber.name %}Dear'"], 4, "is not closed"),
    ],
)  # fmt: skip
def test_every_fault_is_told_with_its_line(lines: list[str], at: int, expected: str) -> None:
    line, message = front_fault(*lines)
    assert expected in message
    assert line == at


def test_a_title_with_a_colon_is_to_be_put_in_quotes() -> None:
    line, message = front_fault("number: 56", "title: Kazakhstan : deux jours avant")
    assert line == 3
    assert 'in quotes, such as title: "One: two"' in message


@pytest.mark.parametrize("value", ["no", "yes", "12:30", "010", "1_000", "0x1F", "1e3", "2026-03-13", "3.10", "true"])
def test_a_title_is_what_was_written_whatever_yaml_makes_of_it(value: str) -> None:
    assert front(f"title: {value}").title == value


def test_a_language_is_kept_in_its_usual_case() -> None:
    assert front("title: T", "language: PT_br").language == "pt-BR"


def test_norwegian_is_a_language() -> None:
    assert front("title: T", "language: no").language == "no"


def test_a_number_may_have_a_leading_nought() -> None:
    assert front("title: T", "number: 056").number == 56


def test_a_date_may_carry_a_time() -> None:
    assert front("title: T", "date: 2026-03-13 07:00").date == date(2026, 3, 13)


def test_a_no_break_space_survives() -> None:
    assert front("title: Vraiment\u00a0?\u202f!").title == "Vraiment\u00a0?\u202f!"


@pytest.mark.parametrize(
    "lines",
    [
        ['title: "One\\r\\nBcc: all@example.org"'],
        ["title: |", "  One", "  Bcc: all@example.org"],
        ["title: >", "  One", "  Bcc: all@example.org"],
        ["title: One", "  Bcc%3A all@example.org"],
        ['title: "One\\u2028\\u2029\\N\\x0b\\x0cBcc"'],
    ],
)
def test_a_line_break_never_reaches_the_subject(lines: list[str]) -> None:
    subject = front(*lines).subject
    assert subject.startswith("One Bcc")
    assert len(subject.splitlines()) == 1


def test_an_unknown_key_is_a_warning_with_a_suggestion() -> None:
    document = read_document("---\ntitle: T\nauhtor: Ada\nmy colour: red\n---\n", "issue.md")
    assert warnings(document) == [
        (3, "front matter: the key auhtor (did you mean author?) means nothing here"),
        (4, "front matter: the key my colour means nothing here"),
    ]


def test_yaml_can_build_no_object() -> None:
    assert front("title: !!python/object/apply:os.getcwd x").title == "x"


def test_aliases_cannot_blow_up() -> None:
    lines = ["title: T", "a0: &a0 x"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    assert front_fault(*lines)[1].startswith("a1 must be one line of text")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_front_matter_is_read_or_refused_with_a_line(text: str) -> None:
    source = f"---\ntitle: T\n{text}\n---\nBody\n"
    try:
        read = split(source, "issue.md")[0]
    except SourceError as error:
        told = (error.line is not None, len(str(error).splitlines()))
    else:
        told = (bool(read.title), len(read.subject.splitlines()))
    assert told == (True, 1)
