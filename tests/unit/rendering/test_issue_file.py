from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsletter.errors import InputError, NewsletterError
from newsletter.rendering.content import Content
from newsletter.rendering.expressions import Fields
from newsletter.rendering.issue_file import read_issue
from newsletter.rendering.template import Control, Escape, Value, Variable, from_json, is_fixed, to_json
from newsletter.resources import SAMPLE_ISSUE
from tests.unit.rendering.reading import BASE_URL, FIELDS, HEAD, MASTHEAD, compiled, merged


def read(tmp_path: Path, content: bytes) -> str:
    """The text of the one paragraph of an issue, or what is wrong with it."""
    path = tmp_path / "issue.md"
    path.write_bytes(content)
    try:
        return merged(read_issue(path).compile(MASTHEAD, BASE_URL)).words
    except NewsletterError as error:
        return str(error).replace(str(path), "issue.md")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"---\ntitle: T\n---\nAn \xc3\xa9t\xc3\xa9.\n", "An été."),
        (b"\xef\xbb\xbf---\ntitle: T\n---\nWords.\n", "Words."),
        (b"---\r\ntitle: T\r\n---\r\nOne\r\ntwo.\r\n", "One two."),
        (b"---\rtitle: T\r---\rOne\rtwo.\r", "One two."),
        (b"---\ntitle: T\n---\nOne.\n\x00\n", "issue.md:5: the character U+0000 cannot be shown: delete it"),
        (b"---\ntitle: T\x07\n---\n", "issue.md:2: the character U+0007 cannot be shown: delete it"),
        (b"---\ntitle: T\n---\n\xe9t\xe9\n", "issue.md:4: not UTF-8: save the file as UTF-8"),
        ("---\ntitle: T\n---\n".encode("utf-16"), "issue.md:1: not UTF-8: save the file as UTF-8"),
        (b"\x89PNG\r\n", "issue.md:1: not UTF-8: save the file as UTF-8"),
        (b"", "issue.md:1: no front matter: start the file with a line of ---, then “title: …”, then a line of ---"),
    ],
)
def test_a_file_is_read_whatever_its_line_ends_and_refused_with_its_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    assert read(tmp_path, content) == words


@pytest.mark.parametrize(("name", "reason"), [("missing.md", "no such file or directory"), (".", "is a directory")])
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / name
    with pytest.raises(InputError) as caught:
        read_issue(path)
    assert str(caught.value) == f"{path}: {reason}"


def test_warnings_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "issue.md"
    path.write_text("---\ntitle: T\nlang: fr\n---\n![](https://e.org/a.png)\n", encoding="utf-8")
    assert read_issue(path).warnings == [
        f"{path}:3: front matter: the key lang (did you mean language?) means nothing here",
        f"{path}:5: the picture https://e.org/a.png has no alternative text: write ![what it shows](https://e.org/a.png)",
    ]


def test_the_sample_has_nothing_wrong_with_it() -> None:
    assert read_issue(SAMPLE_ISSUE).warnings == []


def test_fields_of_the_audience_may_be_merged(tmp_path: Path) -> None:
    path = tmp_path / "issue.md"
    path.write_text(HEAD + "{{ subscriber.ville }}", encoding="utf-8")
    assert read_issue(path, FIELDS).document.book.tags[0].source == "subscriber.ville"
    with pytest.raises(InputError, match="unknown merge tag"):
        read_issue(path, Fields())


def test_content_survives_being_kept_as_json() -> None:
    body = (
        "{{ subscriber.name | default('é') }} [a](https://e.org/{{ subscriber.site }}) [b]({{ subscriber.site }})\n\n"
        "{% if subscriber.ville in ['a', 'b'] %}\n\n[c](https://e.org/?a=1&b=2)\n\n{% else %}\n\nd\n\n{% endif %}\n"
    )
    content = compiled(body, "---\ntitle: T\nsubject: Hi {{ subscriber.name }}\nnumber: 5\nauthor: Ada\n---\n")
    kept = Content.from_json(json.loads(json.dumps(content.to_json())))
    assert kept == content
    assert merged(kept, name="Zoé", ville="a") == merged(content, name="Zoé", ville="a")
    assert content.issue == {"title": "T", "number": "5", "author": "Ada"}
    assert content.publication == {"name": MASTHEAD.name, "postal_address": MASTHEAD.postal_address}


def test_every_kind_of_part_survives_being_kept() -> None:
    template = ("text", Value("subscriber.name", Escape.WHOLE_URL), Control("if subscriber.name"), Variable("open"))
    assert from_json(json.loads(json.dumps(to_json(template)))) == template
    assert [is_fixed(template), is_fixed(("text",)), is_fixed(())] == [False, True, True]


def test_a_part_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="not a part of a template"):
        from_json([["macro", "x"]])


def test_an_issue_without_tags_is_the_same_for_everyone() -> None:
    content = compiled("Words.")
    assert is_fixed(content.subject)
    assert {part for part in content.html if not isinstance(part, str)} == {
        Variable("open_token"),
        Variable("click_token"),
        Variable("unsubscribe_token"),
    }
