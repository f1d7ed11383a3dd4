"""No check cries wolf: the sample issue has nothing wrong with it."""

from __future__ import annotations

import pytest

from newsletter.db import Database
from newsletter.preflight.finding import blocking
from newsletter.preflight.french import check_french
from newsletter.preflight.parts import check_address
from newsletter.preflight.run import preflight, proofread
from newsletter.rendering.theme import theme_names
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.submit import prepare, submit
from tests.factories import BASE_URL, NOW, make_list, subscribe_all
from tests.unit.preflight.proofs import sample_proof


@pytest.mark.parametrize("theme", theme_names())
def test_the_sample_has_no_finding_in_any_theme(theme: str) -> None:
    proof = sample_proof(theme)
    assert proofread(proof, "fr") == []
    assert check_address(proof) == []
    assert check_french(proof.issue.source, "fr") == []


def test_the_sample_has_no_finding_for_a_list_before_and_after_it_was_sent(database: Database) -> None:
    with database.write() as session:
        subscribe_all(session, make_list(session), [("ada@example.org", "Ada"), ("blaise@example.org", "")])
        prepared = prepare(session, SAMPLE_ISSUE, "vendredi", base_url=BASE_URL)
        assert blocking(preflight(session, prepared, BASE_URL), ()) == []
        submit(session, prepared, due_at=NOW, now=NOW)
        assert blocking(preflight(session, prepared, BASE_URL), ()) == []
