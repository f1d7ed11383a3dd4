from __future__ import annotations

import pytest

from newsletter.rendering.conditions import MAX_DEPTH
from tests.unit.rendering.reading import body_fault, elements, fault, letter

IF, ELIF, ELSE, ENDIF = (
    '{% if subscriber.ville == "Liège" %}',
    '{% elif subscriber.ville == "Namur" %}',
    "{% else %}",
    "{% endif %}",
)
TOWNS = ("Liège", "Namur", "Arlon", "")


@pytest.mark.parametrize(
    ("condition", "true_for"),
    [
        ("subscriber.ville", ["Liège", "Namur", "Arlon"]),
        ("not subscriber.ville", [""]),
        ("subscriber.ville == 'Liège'", ["Liège"]),
        ("subscriber.ville != 'Liège'", ["Namur", "Arlon", ""]),
        ("subscriber.ville in ['Liège', 'Namur']", ["Liège", "Namur"]),
        ("subscriber.ville not in ('Liège', 'Namur')", ["Arlon", ""]),
        ("'r' in subscriber.ville", ["Namur", "Arlon"]),
        ("subscriber.ville in 'Arlon Namur' and subscriber.ville", ["Namur", "Arlon"]),
        ("subscriber.ville == 'Liège' or subscriber.ville|lower == 'namur'", ["Liège", "Namur"]),
        ("(subscriber.ville | default('Arlon')) == 'Arlon'", ["Arlon", ""]),
        ("subscriber.nobody_has_this == subscriber.nor_this and subscriber.ville", ["Liège", "Namur", "Arlon"]),
    ],
)
def test_conditions_compare_texts(condition: str, true_for: list[str]) -> None:
    body = f"{{% if {condition} %}}yes{{% else %}}no{{% endif %}}"
    assert [town for town in TOWNS if letter(body, ville=town).words == "yes"] == true_for


def test_a_condition_on_what_a_subscriber_lacks_is_false() -> None:
    assert letter(f"a{IF} b{ENDIF}").words == "a"


def test_a_condition_stands_around_words() -> None:
    body = f"You {IF}live *here*{ELIF}live near{ELSE}[travel](https://e.org){ENDIF} well.\n"
    read = {town: letter(body, ville=town) for town in TOWNS}
    assert "You live <em>here</em> well." in read["Liège"].body
    assert "You live near well." in read["Namur"].body
    assert read["Arlon"].hrefs == ["https://lettres.example.org/c/CLICKED/1"]
    assert [" ".join(read[town].words.partition("\n\n")[0].split()) for town in TOWNS] == [
        "You live here well.",
        "You live near well.",
        "You travel [1] well.",
        "You travel [1] well.",
    ]


WHOLE = f"""First.

{IF}

## Heading

- one
- two

{ELIF}

> Near.

::: button
[Come](https://e.org/come)
:::

{ELSE}

![far](far.png)

{ENDIF}

Last.
"""


@pytest.mark.parametrize("town", TOWNS)
def test_a_condition_stands_around_whole_blocks(town: str) -> None:
    read = letter(WHOLE, ville=town)
    shown = {element.name for element in elements(read.html)} & {"h2", "ul", "blockquote"}
    assert shown == {"Liège": {"h2", "ul"}, "Namur": {"blockquote"}}.get(town, set())
    assert ("Come" in read.body) == (town == "Namur")
    assert ("far.png" in read.body) == (town in ("Arlon", ""))
    assert "First." in read.body
    assert "Last." in read.body


@pytest.mark.parametrize(
    ("town", "words"),
    [
        ("Liège", "First.\n\nHeading\n-------\n\n- one\n- two\n\nLast."),
        ("Namur", "First.\n\n> Near.\n\n-> Come [1]\n\nLast."),
        ("", "First.\n\n[Image\N{NO-BREAK SPACE}: far]\n\nLast."),
    ],
)
def test_a_line_of_conditions_leaves_no_gap_in_the_text(town: str, words: str) -> None:
    assert letter(WHOLE, ville=town).words == words + "\n\n[1] https://lettres.example.org/c/CLICKED/1"


@pytest.mark.parametrize(
    "body",
    [
        f"{IF}\nOne.\n{ENDIF}\nTwo.\n",
        f"> {IF}\n> One.\n> {ENDIF}\n> Two.\n",
        f"::: callout T\n{IF}\nOne.\n{ENDIF}\n\nTwo.\n:::\n",
        f"- {IF}One.{ENDIF}\n- Two.\n",
        f"- a\n\n  {IF}\n  One.\n  {ENDIF}\n\n- Two.\n",
        f"- a\n{IF}\n- One.\n{ENDIF}\n- Two.\n",
        f"| {IF}One.{ENDIF} | b |\n|---|---|\n| c | Two. |\n",
        f"## {IF}One.{ENDIF}\n\nTwo.\n",
        f"*{IF}One.{ENDIF}*\n\nTwo.\n",
        f"```\n{IF}One.{ENDIF}\nTwo.\n```\n",
        f"{IF}\n\n```\nOne.\n```\n\n{ENDIF}\n\n    Two.\n",
        f"{IF}{IF}\nOne.\n{ENDIF}{ENDIF}\n\nTwo.\n",
        f"Two. {IF}[*One.*](https://e.org){ENDIF}\n",
    ],
)
def test_both_branches_make_balanced_html(body: str) -> None:
    here, there = letter(body, ville="Liège"), letter(body, ville="Arlon")
    elements(here.html)
    elements(there.html)
    assert ("One." in here.body, "One." in there.body) == (True, False)
    assert ("One." in here.words, "One." in there.words) == (True, False)
    assert "Two." in here.words
    assert "Two." in there.words
    assert "<!--" not in here.text + there.text


def test_a_condition_in_the_subject_is_worked_out() -> None:
    head = f"---\ntitle: T\nsubject: 'Hello{IF} neighbour{ENDIF}'\npreheader: '{IF}Near{ELSE}Far{ENDIF}'\n---\n"
    assert letter("x", head, ville="Liège").subject == "Hello neighbour"
    assert letter("x", head).subject == "Hello"
    assert "Far</div>" in letter("x", head).html


def test_a_paragraph_that_ends_in_a_condition_keeps_its_distance() -> None:
    words = "word " * 14
    assert "\n\nNext." in letter(f"{words}{IF}{'x' * 70} {ENDIF}\n\nNext.\n", ville="Liège").text
    assert "\n\nNext." in letter(f"{words}{IF}{'x' * 70} {ENDIF}\n\nNext.\n").text


def test_a_code_block_after_a_condition_keeps_its_indent() -> None:
    assert letter(f"{IF}\n\n    code\n\n{ENDIF}\n", ville="Liège").words == "    code"


def test_what_is_linked_inside_a_condition_is_listed_for_everyone_who_needs_it() -> None:
    inside = f"{IF}\n\n## Here\n\n[b](https://e.org/b)\n\n## There\n\n{ENDIF}\n\n"
    body = f"[a](https://e.org/a)\n\n{inside}[b](https://e.org/b)\n"
    for town in TOWNS:
        words = letter(body, ville=town).words
        assert words.endswith(
            "[1] https://lettres.example.org/c/CLICKED/1\n[2] https://lettres.example.org/c/CLICKED/2"
        )
        assert words.count("CLICKED") == 2


@pytest.mark.parametrize(
    ("body", "at", "expected"),
    [
        (f"a\n\n{IF}\n\nb\n", 3, "is not closed: add {% endif %}"),
        (f"a\n{IF}b\n", 2, "is not closed"),
        (f"a\n\n{ENDIF}\n", 3, "{% endif %} has no {% if %} before it"),
        (f"a {ELSE} b\n", 1, "{% else %} has no {% if %}"),
        (f"{ELIF}\n", 1, "has no {% if %}"),
        (f"{IF}a{ELSE}b\n{ELSE}c{ENDIF}\n", 2, "{% else %} comes after {% else %}"),
        (f"{IF}a{ELSE}b\n{ELIF}c{ENDIF}\n", 2, "comes after {% else %}"),
        (f"{IF}\n\na {ENDIF}b\n", 3, "of line 4 stands"),
        (f"a {IF}b\n\nc{ENDIF}\n", 3, "put both in one paragraph"),
        (f"*a {IF}b* c{ENDIF}\n", 1, "put both in one paragraph"),
        (f"[a {IF}b](https://e.org) c{ENDIF}\n", 1, "put both in one paragraph"),
        (f"- {IF}a\n- b{ENDIF}\n", 2, "put both in one paragraph"),
        (f"| {IF}a | b{ENDIF} |\n|---|---|\n", 1, "put both in one paragraph"),
        (f"> {IF}\n> a\n\n{ENDIF}\n", 4, "put both in one paragraph"),
        (f"{IF}\n\n::: callout\n{ENDIF}\n:::\n", 4, "put both in one paragraph"),
        (f"{IF}\n\n> a\n>\n> {ELSE}\n\n{ENDIF}\n", 5, "put both in one paragraph"),
        (f"[a](https://e.org/{IF}b{ENDIF})\n", 1, "put it around the whole"),
        (f"![{IF}a{ENDIF}](b.png)\n", 1, "put it around the whole"),
        (f'![a](b.png "{IF}a{ENDIF}")\n', 1, "put it around the whole"),
        (f"::: callout {IF}a{ENDIF}\nb\n:::\n", 1, "put it around the whole"),
        (f"\n```{IF}\nb\n```\n", 2, "put it around the whole"),
        (f"{IF}" * (MAX_DEPTH + 1) + "a" + ENDIF * (MAX_DEPTH + 1), 1, "nested more than 20 deep"),
    ],
)
def test_conditions_that_would_tear_the_message_apart_are_refused(body: str, at: int, expected: str) -> None:
    line, message = body_fault(body)
    assert expected in message
    assert line == at


def test_a_condition_does_not_reach_from_the_subject_into_the_body() -> None:
    line, message = fault(f"---\ntitle: T\nsubject: 'a{IF}b'\n---\n{ENDIF}\n")
    assert (line, "is not closed" in message) == (3, True)


def test_conditions_as_deep_as_is_allowed_are_merged() -> None:
    body = IF * MAX_DEPTH + "a" + ENDIF * MAX_DEPTH
    assert letter(body, ville="Liège").words == "a"


def test_a_long_row_of_alternatives_is_merged() -> None:
    alternatives = "".join(f"{{% elif subscriber.ville == '{n}' %}}{n}" for n in range(300))
    assert letter(f"{IF}a{alternatives}{ENDIF}", ville="299").words == "299"
