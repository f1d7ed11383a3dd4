"""A report as it is told: its main numbers from the audience down, and what must be said beside them."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.stats.report import Report


@dataclass(frozen=True, slots=True)
class Step:
    """A number of people, and the number that it is a share of: None for the audience itself."""

    name: str
    people: int
    of: int | None

    @property
    def share(self) -> str:
        """The share in per cent, as far as there is a whole."""
        return f"{self.people / self.of:.1%}" if self.of else "–"


def funnel(facts: Report) -> tuple[Step, ...]:
    """From the audience to those who complained."""
    audience, delivered, back = facts.mailing.audience or 0, facts.mailing.delivered, facts.returned
    return (
        Step("audience", audience, None),
        Step("delivered", delivered, audience),
        Step("opened", facts.opens.person.readers, facts.base),
        Step("opened by a proxy", facts.opens.proxy.readers, facts.base),
        Step("clicked", facts.clicks.person.readers, facts.base),
        Step("left", facts.unsubscribed, facts.base),
        Step("bounced, hard", back.hard, audience),
        Step("bounced, soft", back.soft, audience),
        Step("complained", back.complaints, delivered),
    )


def notes(facts: Report) -> list[str]:
    """What the numbers are of, what they cannot know, and what was left out of them."""
    said = []
    delivered = facts.mailing.delivered
    if delivered and not facts.base:
        said.append("Nothing is known of opens, clicks and leaving: these readers are not tracked.")
    elif facts.base < delivered:
        tracked = f"{facts.base:,} of {delivered:,} delivered"
        said.append(f"Opens, clicks and leaving are shares of those who are tracked: {tracked}.")
    elif facts.tracked is None:
        said.append(
            "Opens, clicks and leaving are shares of all delivered: how many are tracked is not known any more."
        )
    if facts.opens.person.events or facts.opens.proxy.events:
        said.append("Opens are an estimate: pictures may be off, and a proxy may fetch them for nobody.")
    opens, clicks, traps = (tally.machine.events for tally in (facts.opens, facts.clicks, facts.traps))
    if opens or clicks or traps:
        counts = f"opens {opens:,}, clicks {clicks:,}, the link that no person sees {traps:,}"
        said.append(f"Left out, by machines: {counts}.")
    return said
