"""Dead links: all of an issue's targets looked at, side by side."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from threading import Thread

from newsletter.preflight.finding import Finding, Looked, error
from newsletter.preflight.links import web_addresses
from newsletter.preflight.proof import Proof
from newsletter.preflight.public import Address, is_public
from newsletter.preflight.visit import DeadError, NoHostError, Resolve, UnseenError, Visitor, resolve

SECONDS = 10.0
VISITORS = 16


def look_at_links(
    proof: Proof,
    seconds: float = SECONDS,
    allowed: Callable[[Address], bool] = is_public,
    resolve: Resolve = resolve,
) -> Looked:
    """A finding for each link with nothing behind it, within `seconds` for all of them together."""
    urls = web_addresses(proof)
    deadline = time.monotonic() + seconds
    answers = _visit_all(urls, Visitor(deadline, allowed, resolve), deadline)
    looked = Looked()
    if urls and all(isinstance(answers.get(url), NoHostError) for url in urls):
        # Where no name at all is known, it is rather this machine that is cut off.
        looked.unseen.append(f"{len(urls)} links: no name can be looked up from this machine")
        return looked
    for url in urls:
        match answers.get(url, UnseenError("no answer in time")):
            case DeadError() as dead:
                looked.findings.append(_dead(url, dead, proof))
            case UnseenError() as unseen:
                looked.unseen.append(f"{url}: {unseen}")
    return looked


def _dead(url: str, why: DeadError, proof: Proof) -> Finding:
    return error("link-dead", proof.line_of(url), f"{url} is dead: {why}", "mend the address, or take the link out")


def _visit_all(urls: Sequence[str], visitor: Visitor, deadline: float) -> dict[str, Exception | None]:
    """What came of each visit, None for a good one; those that take too long are missing."""
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, Exception | None]] = queue.SimpleQueue()
    for url in urls:
        todo.put(url)
    for _ in range(min(VISITORS, len(urls))):
        # Looking up a name cannot be interrupted: a thread that is still at it must not keep the command from ending.
        Thread(target=_work, args=(todo, done, visitor), daemon=True).start()
    answers: dict[str, Exception | None] = {}
    while len(answers) < len(urls):
        try:
            url, answer = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        answers[url] = answer
    return answers


def _work(
    todo: queue.SimpleQueue[str], done: queue.SimpleQueue[tuple[str, Exception | None]], visitor: Visitor
) -> None:
    while True:
        try:
            url = todo.get_nowait()
        except queue.Empty:
            return
        try:
            visitor.visit(url)
        except (DeadError, UnseenError) as error:
            done.put((url, error))
        else:
            done.put((url, None))
