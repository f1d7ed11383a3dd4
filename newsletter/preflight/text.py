"""The words of an issue: its subject, its preheader, its language, its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.preflight.finding import Finding, warning
from newsletter.preflight.proof import Proof

# Phones show some 40 characters of a subject, desktops some 70.
SUBJECT_CHARACTERS = 70
# An acronym is no shout.
SHOUTED_LETTERS = 8
_HEADING = re.compile(r"h[1-6]")


def check_text(proof: Proof) -> list[Finding]:
    """Faults in what is read first, and in how the text is built."""
    return [*_front_matter(proof), *_subject(proof), *_preheader(proof), *_language(proof), *_headings(proof)]


def _front_matter(proof: Proof) -> Iterator[Finding]:
    front = proof.issue.document.front
    for described in front.unknown:
        key, _, hint = described.partition(" (")
        remedy = hint.removesuffix(")") if hint else "delete it, or see the keys there are in docs/writing.md"
        yield warning("front-matter", front.lines.get(key), f"the key “{key}” means nothing here", remedy)


def _subject(proof: Proof) -> Iterator[Finding]:
    document = proof.issue.document
    line = document.front.lines.get("subject", document.front.lines.get("title"))
    fixed = document.book.pattern.sub("", document.subject).strip()
    letters = [character for character in fixed if character.isalpha()]
    if len(fixed) > SUBJECT_CHARACTERS:
        told = f"the subject has {len(fixed)} characters, of which inboxes show {SUBJECT_CHARACTERS} at most"
        yield warning("subject-length", line, told, "say it in fewer")
    if len(letters) >= SHOUTED_LETTERS and "".join(letters).isupper():
        yield warning(
            "subject-capitals", line, "the subject is all capitals, as spam is", "write it in small letters"
        )
    if fixed and not any(character.isalnum() for character in fixed) and fixed == document.subject.strip():
        yield warning("subject-emoji", line, "the subject has no word in it", "add words: many hear it read out")


def _preheader(proof: Proof) -> Iterator[Finding]:
    if not proof.issue.document.preheader:
        told = "there is no preheader: inboxes show the first words of the masthead after the subject"
        yield warning("preheader", None, told, "add a line “preheader: …” to the front matter")


def _language(proof: Proof) -> Iterator[Finding]:
    page = next((element for element in proof.page if element.tag == "html"), None)
    if page is None or not page.attributes.get("lang", "").strip():
        told = "the HTML does not name its language: screen readers would guess it"
        yield warning("language", None, told, "add a line such as “language: fr” to the front matter")


def _headings(proof: Proof) -> Iterator[Finding]:
    level = 0
    for element in proof.page:
        if not _HEADING.fullmatch(element.tag):
            continue
        found, words = int(element.tag[1]), element.words
        if level and found > level + 1:
            told = f"the heading “{words}” is of level {found}, after one of level {level}"
            remedy = f"write it with {'#' * (level + 1)}"
            yield warning("heading-order", proof.line_of_words(words), told, remedy)
        level = found
