from __future__ import annotations

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize("query", ["", "?answer=1", "?answer=<script>"])
@pytest.mark.parametrize(("language", "words"), [("fr-BE,en;q=0.5", "Merci"), ("en", "Thank you"), ("", "Thank you")])
def test_whoever_answered_is_thanked_in_their_language(
    client: TestClient, query: str, language: str, words: str
) -> None:
    answer = client.get(f"/thanks{query}", headers={"accept-language": language})
    assert answer.status_code == 200
    assert f"<h1>{words}</h1>" in answer.text
    assert "<script" not in answer.text


def test_the_page_takes_nothing(client: TestClient) -> None:
    assert client.post("/thanks").status_code == 405
