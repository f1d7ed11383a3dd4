from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from random import randbytes

import pytest
from PIL import Image as Pillow

from newsletter.errors import SourceError
from newsletter.rendering.compile import warnings
from newsletter.rendering.content import Content
from newsletter.rendering.document import read_document
from newsletter.rendering.images import half_name, load_pictures
from newsletter.rendering.issue_file import read_issue
from newsletter.rendering.pictures import Picture
from tests.unit.rendering.reading import BASE_URL, HEAD, MASTHEAD, Element, elements, letter, merged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "issue"
    (folder / "images").mkdir(parents=True)
    for name, size in (
        ("wide.png", (1280, 400)),
        ("narrow.png", (640, 200)),
        ("images/small.jpg", (300, 200)),
        ("été 1.gif", (20, 10)),
    ):
        Pillow.new("RGB", size).save(folder / name)
    Pillow.new("RGB", (5, 5)).save(tmp_path / "outside.png")
    (folder / "words.png").write_text("not a picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / "half.png").write_bytes((folder / "wide.png").read_bytes()[:20])
    (folder / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    Pillow.new("RGB", (5, 5)).save(folder / "old.bmp")
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    return folder


def pictures(folder: Path, body: str) -> dict[str, Picture]:
    return load_pictures(read_document(HEAD + body, "issue.md"), folder / "issue.md")


def image(html: str) -> Element:
    return next(element for element in elements(html) if element.name == "img")


@pytest.mark.parametrize(
    ("src", "media_type", "size", "extension"),
    [
        ("narrow.png", "image/png", (640, 200), "png"),
        ("images/small.jpg", "image/jpeg", (300, 200), "jpg"),
        ("./images/../narrow.png", "image/png", (640, 200), "png"),
        ("<été 1.gif>", "image/gif", (20, 10), "gif"),
    ],
)
def test_a_picture_is_measured_and_named_by_its_bytes(
    folder: Path, src: str, media_type: str, size: tuple[int, int], extension: str
) -> None:
    [picture] = pictures(folder, f"![a]({src})\n").values()
    assert (picture.media_type, picture.width, picture.height) == (media_type, *size)
    assert picture.path == f"/m/{picture.digest}.{extension}"
    assert picture.data_url.startswith(f"data:{media_type};base64,")


def test_a_picture_used_twice_is_read_once(folder: Path) -> None:
    assert list(pictures(folder, "![a](narrow.png)\n\n![b](narrow.png)\n")) == ["narrow.png"]


def test_a_remote_picture_is_left_where_it_is(folder: Path) -> None:
    body = "![a](https://e.org/a.png?b=1&copy=2)\n"
    assert pictures(folder, body) == {}
    assert image(letter(body).html).attributes["src"] == "https://e.org/a.png?b=1&copy=2"


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("missing.png", "the picture missing.png cannot be read: no such file or directory"),
        ("images", "the picture images cannot be read: is a directory"),
        (".", "cannot be read: is a directory"),
        ("../outside.png", "the picture ../outside.png lies outside the issue's folder: move it there"),
        ("..%2Foutside.png", "lies outside the issue's folder"),
        ("/etc/passwd", "lies outside the issue's folder"),
        ("images/../../outside.png", "lies outside the issue's folder"),
        ("link.png", "lies outside the issue's folder"),
        ("loop.png", "cannot be read"),
        ("words.png", "the picture words.png is not of a kind that mail programs show (PNG, JPEG, GIF, WEBP)"),
        ("empty.png", "is not of a kind that mail programs show"),
        ("half.png", "the picture half.png cannot be read: damaged or misnamed"),
        ("drawing.svg", "is not of a kind that mail programs show"),
        ("old.bmp", "is not of a kind that mail programs show"),
        ("a%00.png", "cannot be read"),
        ("a" * 300, "cannot be read: file name too long"),
        ("http://e.org/a.png", "is neither a file beside the issue nor at an https:// address"),
        ("//e.org/a.png", "is neither a file"),
        ("ftp://e.org/a.png", "is neither a file"),
        ("cid:a", "is neither a file"),
        ("data:image/png;base64,AAAA", "is neither a file"),
        ("http://[", "is neither a file"),
        ("{{ subscriber.name }}", "the picture {{ subscriber.name }} is neither a file"),
        ("{{ subscriber.name }}.png", "the picture {{ subscriber.name }}.png is neither a file"),
    ],
)
def test_a_picture_that_could_not_be_shown_is_refused_with_its_line(folder: Path, src: str, expected: str) -> None:
    with pytest.raises(SourceError) as caught:
        pictures(folder, f"Words.\n\n![a](<{src}>)\n")
    assert expected in str(caught.value)
    assert caught.value.line == 6
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "data:image/svg+xml,x"]
)
def test_an_address_that_runs_something_is_no_picture(folder: Path, url: str) -> None:
    assert pictures(folder, f"![a]({url})\n") == {}
    assert url in letter(f"![a]({url})\n").text


def test_a_picture_without_an_alternative_text_is_a_warning() -> None:
    tag = "{{ subscriber.name }}"
    document = read_document(f"{HEAD}![a](a.png)\n\n![](b.png)\n\n![ ]({tag})\n", "issue.md")
    assert warnings(document) == [
        (6, "the picture b.png has no alternative text: write ![what it shows](b.png)"),
        (8, f"the picture {tag} has no alternative text: write ![what it shows]({tag})"),
    ]


def test_pictures_are_served_below_the_base_url_or_stand_in_the_page(folder: Path) -> None:
    path = folder / "issue.md"
    path.write_text(HEAD + "![a](wide.png)\n\n![b](images/small.jpg)\n", encoding="utf-8")
    issue = read_issue(path)
    wide, small = issue.pictures["wide.png"], issue.pictures["images/small.jpg"]
    served = merged(issue.compile(MASTHEAD, BASE_URL)).html
    images = [element.attributes for element in elements(served) if element.name == "img"]
    assert [attributes["src"] for attributes in images[:2]] == [BASE_URL + wide.path, BASE_URL + small.path]
    assert [attributes["width"] for attributes in images[:2]] == ["640", "300"]
    alone = merged(issue.compile(MASTHEAD, BASE_URL, embed_pictures=True)).html
    assert image(alone).attributes["src"] == wide.data_url


def test_pictures_in_cards_boxes_and_videos_are_taken_along(folder: Path) -> None:
    body = (
        "::: cards\n![a](narrow.png)\n\n---\n\nb\n:::\n\n::: sponsor C\n![c](images/small.jpg)\n:::\n\n"
        "::: video\n[![d](<été 1.gif>)](https://e.org)\n:::\n"
    )
    assert list(pictures(folder, body)) == ["narrow.png", "images/small.jpg", "%C3%A9t%C3%A9%201.gif"]


@pytest.mark.parametrize(
    ("size", "whole", "half"),
    [
        ((300, 200), (300, 200), None),
        ((640, 200), (640, 200), None),
        ((700, 70), (700, 70), (640, 64)),
        ((3000, 1000), (1280, 427), (640, 213)),
        ((3000, 1), (1280, 1), (640, 1)),
    ],
)
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_a_picture_is_scaled_for_sharp_and_plain_screens_and_never_enlarged(
    tmp_path: Path, name: str, size: tuple[int, int], whole: tuple[int, int], half: tuple[int, int] | None
) -> None:
    Pillow.new("RGB", size, "teal").save(tmp_path / name)
    made = pictures(tmp_path, f"![a]({name})\n")
    sizes = {key: (picture.width, picture.height) for key, picture in made.items()}
    assert sizes == {name: whole} | ({half_name(name): half} if half else {})
    for picture in made.values():
        with Pillow.open(BytesIO(picture.content)) as opened:
            assert (opened.size, Pillow.MIME[opened.format or ""]) == (
                (picture.width, picture.height),
                picture.media_type,
            )


def test_a_photograph_is_turned_upright_and_loses_what_its_camera_wrote(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # orientation: turned by a quarter
    exif[0x010F] = "Camera of somebody"
    Pillow.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
    [picture] = pictures(tmp_path, "![a](a.jpg)\n").values()
    assert (picture.width, picture.height) == (20, 40)
    assert b"Camera" not in picture.content
    with Pillow.open(BytesIO(picture.content)) as opened:
        assert not opened.getexif()


@pytest.mark.parametrize("mode", ["P", "LA", "L", "1", "RGBA", "I;16", "CMYK"])
def test_a_picture_of_any_colours_is_scaled(tmp_path: Path, mode: str) -> None:
    name = "a.jpg" if mode == "CMYK" else "a.png"
    Pillow.new(mode, (1400, 10)).save(tmp_path / name)
    assert [picture.width for picture in pictures(tmp_path, f"![a]({name})\n").values()] == [1280, 640]


def test_what_moves_is_sent_as_it_is(tmp_path: Path) -> None:
    frames = [Pillow.new("P", (1400, 10), number) for number in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    [picture] = pictures(tmp_path, "![a](a.gif)\n").values()
    assert picture.content == (tmp_path / "a.gif").read_bytes()


def test_a_picture_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    Pillow.new("1", (8000, 8000)).save(tmp_path / "a.png")
    with pytest.raises(
        SourceError, match=r"issue\.md:4: the picture a\.png has more than 50 million pixels: scale it"
    ):
        pictures(tmp_path, "![a](a.png)\n")


def test_a_picture_cut_short_is_refused(folder: Path) -> None:
    Pillow.effect_noise((900, 600), 50).save(folder / "long.png")
    (folder / "cut.png").write_bytes((folder / "long.png").read_bytes()[:5000])
    with pytest.raises(SourceError, match=r"the picture cut\.png cannot be read: damaged or misnamed"):
        pictures(folder, "![a](cut.png)\n")


def test_pictures_travel_in_the_message_when_asked(folder: Path) -> None:
    path = folder / "issue.md"
    path.write_text("---\ntitle: T\nembed: cid\n---\n![a](wide.png)\n\n![b](wide.png)\n", encoding="utf-8")
    issue = read_issue(path)
    content = issue.compile(MASTHEAD, BASE_URL)
    [attachment] = content.attachments
    assert attachment.content == issue.pictures["wide.png"].content
    images = [element.attributes for element in elements(merged(content).html) if element.name == "img"]
    assert [attributes["src"] for attributes in images[:2]] == [f"cid:{attachment.content_id}"] * 2
    assert Content.from_json(json.loads(json.dumps(content.to_json()))) == content
    assert issue.compile(MASTHEAD, BASE_URL, embed_pictures=True).attachments == ()


def test_more_than_a_message_should_carry_is_refused(folder: Path) -> None:
    for name in ("noise1.png", "noise2.png"):
        Pillow.frombytes("RGB", (640, 400), randbytes(640 * 400 * 3)).save(folder / name)
    path = folder / "issue.md"
    path.write_text("---\ntitle: T\nembed: cid\n---\n![a](noise1.png)\n\n![b](noise2.png)\n", encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"issue\.md:3: the pictures to embed are [\d,]+ bytes together, more than 1,000"
    ):
        read_issue(path).compile(MASTHEAD, BASE_URL)
