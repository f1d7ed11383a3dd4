from __future__ import annotations

import pytest

from newsletter.rendering.expressions import Fields
from newsletter.rendering.merge_tags import TagBook
from tests.unit.rendering.reading import HEAD, body_fault, letter

NASTY = """<b onclick="x">&'{{ 1 }}"""
NASTY_AS_TEXT = "&lt;b onclick=&quot;x&quot;&gt;&amp;&#x27;{{ 1 }}"


def test_a_tag_is_filled_in_subject_preheader_html_and_text() -> None:
    head = "---\ntitle: T\nsubject: Dear {{ subscriber.first_name }}\npreheader: Psst {{ subscriber.name }}\n---\n"
    read = letter("Hello {{ subscriber.first_name }}.", head, first_name="Zoé", name="Zoé B")
    assert read.subject == "Dear Zoé"
    assert "Psst Zoé B" in read.html
    assert "Hello Zoé." in read.body
    assert read.words == "Hello Zoé."


def test_facts_of_the_issue_and_its_publication_are_merged_too() -> None:
    head = "---\ntitle: Un titre\nnumber: 56\nauthor: Ada\n---\n"
    tags = "{{ issue.title }}, {{ issue.number }}, {{ issue.author }}, {{ publication.name }}"
    assert letter(tags, head).words.endswith("Un titre, 56, Ada, L’Hebdo")


@pytest.mark.parametrize("first_name", [{}, {"first_name": ""}])
def test_a_default_stands_in_for_what_is_missing_and_for_what_is_empty(first_name: dict[str, str]) -> None:
    assert letter('{{ subscriber.first_name | default("reader") }}', **first_name).words == "reader"


def test_without_a_default_what_is_missing_is_nothing() -> None:
    assert letter("Hello{{ subscriber.first_name }}.").words == "Hello."


@pytest.mark.parametrize(
    ("tag", "filled"),
    [
        ("{{ subscriber.first_name | upper }}", "ZOÉ"),
        ("{{ subscriber.first_name | lower | capitalize }}", "Zoé"),
        ("{{ subscriber.ville | d('x') | title }}", "X"),
        ("{{subscriber.first_name}}", "zoé"),
        ("{{- subscriber.first_name -}}", "zoé"),
        ("{{ subscriber.first_name\n| trim }}", "zoé"),
        ("{{ subscriber.ville or subscriber.first_name }}", "zoé"),
        ('{{ "Mx " ~ subscriber.first_name }}', "Mx zoé"),
        ('{{ "here" if subscriber.ville else "there" }}', "there"),
        ("a{# a note\nto oneself #}b", "a b"),
        ("}} and %}", "}} and %}"),
    ],
)
def test_expressions_are_worked_out(tag: str, filled: str) -> None:
    assert letter(tag, first_name="zoé").words == filled


def test_a_column_that_few_subscribers_have_may_be_used_with_a_default() -> None:
    assert letter('{{ subscriber.shoe_size | default("any") }}', shoe_size="41").words == "41"


def test_a_column_named_like_a_method_is_a_column() -> None:
    tag = '{{ subscriber.items | default("none") }} {{ subscriber.keys | default("none") }}'
    assert letter(tag, items="three").words == "three none"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (
            "{{ subscriber.frist_name }}",
            "subscriber.frist_name: did you mean subscriber.first_name?",
        ),
        ("{{ subscriber.vile }}", "did you mean subscriber.ville?"),
        ("{{ first_name }}", "did you mean subscriber.first_name?"),
        ("{{ issue.titel }}", "did you mean issue.title?"),
        ('{{ issue.titel | default("x") }}', "did you mean issue.title?"),
        ("{{ user.name }}", "tags start with subscriber., publication. or issue."),
        ("{{ subscriber }}", "tags start with subscriber."),
        ("{{ subscriber.name.first }}", "one dot"),
        ("{{ subscriber.first_name | shout }}", "the filter “shout” is unknown; there are capitalize, default"),
        ("{{ subscriber.first_name | upper('x') }}", "the filter “upper” takes nothing in parentheses"),
        ("{{ subscriber.first_name | default }} {{ subscriber.name | default('a', 'b') }}", "takes one text"),
        ("{{ subscriber.first_name | default(*subscriber.name) }}", "takes one text"),
        ("{{ subscriber.first_name | default(value='a') }}", "takes one text"),
        ("{{ subscriber.first_name | default(1) }}", "write 1 in quotes"),
        ("{{ 'x' if subscriber.name }}", "needs an else"),
        ("{{ subscriber.name, subscriber.email }}", "tuple is not allowed"),
        ("{{ }}", "not understood"),
        ("{{ subscriber. }}", "not understood"),
        ("{{ 'a' }b{ 'c' }}", "not understood"),
        ("{% for a in subscriber.name %}", "only if, elif, else and endif"),
        ("{% set a = 1 %}", "only if, elif, else and endif"),
        ("{% include 'x' %}", "only if, elif, else and endif"),
        ("{% raw %}", "only if, elif, else and endif"),
        ("{% if %}", "only if, elif, else and endif"),
        ("{% %}", "only if, elif, else and endif"),
        ("{% else x %}", "only if, elif, else and endif"),
        ("{% if subscriber.ville > '18' %}a{% endif %}", "compared with ==, !=, in and not in"),
        ("{% if subscriber.ville == 18 %}a{% endif %}", "write 18 in quotes"),
        ("{% if subscriber.ville == true %}a{% endif %}", "write True in quotes"),
        ("{{ subscriber.name() }}", "call is not allowed"),
        ("{{ range(9) }}", "call is not allowed"),
        ('{{ "a" * 10**9 }}', "mul is not allowed"),
        ("{{ subscriber.name + 'x' }}", "add is not allowed"),
        ("{{ (-subscriber.name) }}", "neg is not allowed"),
        ("{{ subscriber['name'] }}", "getitem is not allowed"),
        ("{{ subscriber.name[0] }}", "getitem is not allowed"),
        ("{{ ['a'] }}", "list is not allowed"),
        ("{{ {'a': 'b'} }}", "dict is not allowed"),
        ("{{ subscriber.name is defined }}", "test is not allowed"),
        ("{{ subscriber.__class__ }}", "out of bounds"),
        ("{{ subscriber.__class__ | default('x') }}", "out of bounds"),
        ("{{ subscriber.__class__.__mro__ }}", "one dot"),
        ("{{ ''.__class__ }}", "one dot"),
        ("{{ " + "1" * 900 + " }}", "write 1111"),
        ("{{ " + "1" * 5000 + " }}", "too long"),
        ("{{ " + "(" * 60 + "'a'" + ")" * 60 + " }}", "too many parentheses"),
        ("{{ subscriber.name" + "|trim" * 60 + " }}", "nested too deeply"),
        ("{% if " + "not " * 60 + "subscriber.name %}", "nested too deeply"),
    ],
)
def test_what_cannot_be_merged_is_refused_with_its_line(tag: str, expected: str) -> None:
    line, message = body_fault(f"One.\n\nTwo,\nthree {tag} four.\n")
    assert expected in message
    assert line == 4
    assert len(message) < 400


@pytest.mark.parametrize("opening", ["{{ subscriber.name", "{% if subscriber.name", "{# note", "{{ a }"])
def test_a_tag_that_is_not_closed_is_refused_with_its_line(opening: str) -> None:
    line, message = body_fault(f"One {{{{\nsubscriber.name }}}}.\n\nTwo\n{opening}\n\nMore.\n")
    assert message == f"a merge tag is opened with {opening[:2]} but not closed"
    assert line == 5


def test_a_line_break_inside_a_tag_moves_no_later_line_number() -> None:
    assert body_fault("{{ subscriber.name\n| upper }}\n{# a\nb #}\n{{ nobody }}\n")[0] == 5


def test_a_value_is_text_in_html_and_itself_in_plain_text() -> None:
    read = letter("Hello {{ subscriber.name }}.", name=NASTY)
    assert f"Hello {NASTY_AS_TEXT}." in read.body
    assert read.words == f"Hello {NASTY}."


def test_a_value_cannot_leave_an_attribute() -> None:
    read = letter(
        '[x](https://e.org "for {{ subscriber.name }}")\n\n![for {{ subscriber.name }}](a.png)\n', name=NASTY
    )
    assert f'title="for {NASTY_AS_TEXT}"' in read.body
    assert f'alt="for {NASTY_AS_TEXT}"' in read.body


def test_a_value_is_percent_encoded_inside_an_address() -> None:
    addresses = "[x](https://e.org/?n={{ subscriber.name }}) <mailto:{{ subscriber.email }}>"
    read = letter(addresses, name="é&b=\"'</a> /", email="a+b@e.org")
    assert read.hrefs == ["https://e.org/?n=%C3%A9%26b%3D%22%27%3C%2Fa%3E%20%2F", "mailto:a%2Bb%40e.org"]


@pytest.mark.parametrize("alt", ["x", "a > b", "a < b", 'a "b" c'])
def test_a_value_is_percent_encoded_in_an_address_that_stands_after_other_attributes(alt: str) -> None:
    read = letter(f"![{alt}](https://e.org/{{{{ subscriber.name }}}}.png)\n", name='é"&')
    assert 'src="https://e.org/%C3%A9%22%26.png"' in read.body


@pytest.mark.parametrize(
    ("site", "href"),
    [
        ("https://e.org/a?b=c&d=%20é", "https://e.org/a?b=c&d=%20%C3%A9"),
        ("http://e.org", "http://e.org"),
        ('https://e.org/"onclick="x', "https://e.org/%22onclick=%22x"),
        ("javascript:alert(1)", ""),
        (" JavaScript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,<script>", ""),
        ("", ""),
    ],
)
def test_a_whole_address_is_dropped_unless_it_is_one_of_the_web(site: str, href: str) -> None:
    read = letter("[yours]({{ subscriber.site }})\n\n::: button\n[yours]({{ subscriber.site }})\n:::\n", site=site)
    assert read.hrefs == [href, href]


def test_a_value_that_continues_a_whole_address_cannot_change_its_scheme() -> None:
    read = letter("[x]({{ subscriber.site }}{{ subscriber.name }})", site="", name="javascript:alert(1)")
    assert read.hrefs == ["javascript%3Aalert%281%29"]


def test_a_value_that_looks_like_a_merge_tag_stays_text() -> None:
    value = "{{ subscriber.email }} {% if 1 %} \x01subscriber.email\x02 \x03if x\x04"
    read = letter("Hello {{ subscriber.name }}", name=value, email="secret@example.org")
    assert value in read.text
    assert "secret@example.org" not in read.html + read.text


def test_what_an_editor_spells_out_with_entities_stays_text() -> None:
    read = letter("&#123;&#123; subscriber.email }} \\{\\{ subscriber.email \\}\\}", email="secret@example.org")
    assert read.words == "{{ subscriber.email }} {{ subscriber.email }}"


@pytest.mark.parametrize(
    "markdown",
    [
        "*{}*",
        "**{}**",
        "a*{}*b",
        "~~{}~~",
        "`{}`",
        "```\n{}\n```",
        "    {}",
        "[{}](https://e.org)",
        "## {}",
        "### {} here",
        "> {}",
        "- {}",
        "1. a\n   - {}",
        "| a | b |\n|---|---|\n| {} | c |",
        "::: callout {}\nb\n:::",
        "::: callout\n{}\n:::",
        "::: button\n[{}](https://e.org)\n:::",
        "![{}](a.png)",
        '![a](a.png "{}")',
        "<https://e.org/{}>",
    ],
)
def test_tags_survive_wherever_they_stand(markdown: str) -> None:
    read = letter(markdown.format('{{ subscriber.first_name | default("a*b_c") }}'), first_name="Zoe")
    assert "Zoe" in read.body
    assert "Zoe" in read.words
    assert "mt" not in read.words


def test_a_value_is_one_line_wherever_it_goes() -> None:
    head = "---\ntitle: T\nsubject: '{{ subscriber.name }}'\n---\n"
    assert letter("x", head, name="One\r\nBcc: all@example.org").subject == "One Bcc: all@example.org"


def test_a_placeholder_cannot_stand_in_the_issue_already() -> None:
    def nonce(source: str) -> str:
        return TagBook.for_source(source, Fields()).nonce

    source = HEAD + "Hello {{ subscriber.name }}"
    assert nonce(source) not in source
    book = TagBook(nonce(source), Fields())
    assert book.lift("{{ subscriber.name }}", "issue.md", 1) == book.placeholder(0)
    assert book.restore(f"Hello {book.placeholder(0)}") == "Hello {{ subscriber.name }}"


def test_a_placeholder_typed_by_hand_is_text() -> None:
    typed = TagBook.for_source(HEAD + "{{ subscriber.name }}", Fields()).placeholder(0)
    read = letter(f"{typed} {{{{ subscriber.name }}}}", name="Zoe")
    assert read.words == f"{typed} Zoe"
