from __future__ import annotations

import time

import pytest

from newsletter.models import MailingStatus
from newsletter.sending import control
from tests.chaos.conftest import Form
from tests.chaos.scene import Scene

pytestmark = pytest.mark.timeout(300)

# Until then, what others met at that moment is in the ledger.
SECONDS_TO_MEND = 2.0
REPLY = "554 5.7.1 Service unavailable; client host blocked"


@pytest.mark.short_on("postgresql")
def test_a_server_that_begins_to_refuse_everything_pauses_the_mailing_and_resuming_sends_to_everyone_once(
    scene: Scene, form: Form
) -> None:
    with scene.worker():
        for _ in range(form.times):
            scene.wait_for_more()
            scene.sink.behave(refuse_all={"step": "rcpt", "reply": REPLY})
            scene.wait_for(MailingStatus.PAUSED)
            assert REPLY in str(scene.mailing().pause_reason)
            scene.sink.behave(delay=form.delay)
            time.sleep(SECONDS_TO_MEND)
            with scene.database.write() as session:
                control.resume(session, scene.mailing_id)
        scene.finish()
    scene.prove(doubts=0)
