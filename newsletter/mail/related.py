"""An HTML part together with the pictures it shows, as they stand on the wire (RFC 2387, RFC 2392)."""

from __future__ import annotations

from base64 import encodebytes


def related_head(boundary: str, inner: str) -> str:
    """What stands before an HTML part and its pictures: the outer delimiter, and the field that announces `inner`."""
    return f'--{boundary}\r\nContent-Type: multipart/related;\r\n type="text/html";\r\n boundary="{inner}"\r\n\r\n'


def picture_part(inner: str, content_id: str, media_type: str, content: bytes) -> bytes:
    """A picture that HTML shows as `cid:` and its `content_id`, its delimiter included."""
    head = (
        f"--{inner}\r\n"
        f"Content-Type: {media_type}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: inline\r\n"
        f"Content-ID: <{content_id}>\r\n"
        "\r\n"
    )
    return head.encode("ascii") + encodebytes(content).replace(b"\n", b"\r\n")
