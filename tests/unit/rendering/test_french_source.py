from __future__ import annotations

import pytest

from newsletter.rendering.document import read_document
from newsletter.rendering.french_source import mend_spaces, missing_spaces
from newsletter.resources import SAMPLE_ISSUE
from tests.unit.rendering.reading import HEAD, letter

_ = "\u00a0"


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("Vraiment ? « Oui! »", f"Vraiment{_}? «{_}Oui{_}!{_}»"),
        ("- **Qui ?** Nous; eux.", f"- **Qui{_}?** Nous{_}; eux."),
        ("::: callout Le saviez-vous ?", f"::: callout Le saviez-vous{_}?"),
        ('![Où ?](images/a.png "Ici !")', f'![Où{_}?](images/a.png "Ici{_}!")'),
    ],
)
def test_the_spaces_that_french_wants_are_put_into_the_file(line: str, mended: str) -> None:
    source = f"{HEAD}Un.\n\n{line}\n"
    assert missing_spaces(source) == [6]
    assert mend_spaces(source) == f"{HEAD}Un.\n\n{mended}\n"
    assert missing_spaces(mend_spaces(source)) == []


@pytest.mark.parametrize(
    "body",
    [
        "`a ?` et ``b` !``",
        "```\na ?\n```",
        "    a ?",
        "::: mjml\n<mj-text>a ?</mj-text>\n:::",
        '{{ subscriber.ville | default("a ?") }} {% if subscriber.ville == "b !" %}x{% endif %}',
        "[a][b]\n\n[b]: https://e.org/?a=b;",
        "a[^1]\n\n[^1]: b",
        "https://e.org/a?b=c; <https://e.org/?a=b;>",
        "::: callout\na\n:::",
        "| a | b |\n|:--|--:|\n| c | d |",
    ],
)
def test_code_addresses_and_the_marks_of_markdown_stay(body: str) -> None:
    assert mend_spaces(HEAD + body) == HEAD + body


def test_the_front_matter_stays() -> None:
    head = '---\ntitle: "Vraiment ?"\nsubject: Oui !\n---\n'
    assert mend_spaces(f"{head}a ?\n") == f"{head}a{_}?\n"


def test_the_sample_means_the_same_when_mended() -> None:
    source = SAMPLE_ISSUE.read_text(encoding="utf-8")
    mended = mend_spaces(source)
    before, after = (read_document(text, "issue.md").blocks for text in (source, mended))
    assert [block.kind for block in before] == [block.kind for block in after]
    body, mended_body = (
        text.split("---\n", 2)[2].replace("](images/", "](https://e.org/") for text in (source, mended)
    )
    assert letter(body).text == letter(mended_body).text
