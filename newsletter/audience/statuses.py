"""What a file says of someone's subscription, in whatever words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from newsletter.errors import InputError
from newsletter.models import SuppressionReason


class Status(IntEnum):
    """Ordered by weight: of several rows, or columns, about one address the lowest decides.

    Only our own exports tell `blocked` and `left`: barred by us, and unsubscribed from the one list alone.
    """

    COMPLAINED = 0
    CLEANED = 1
    UNSUBSCRIBED = 2
    BLOCKED = 3
    LEFT = 4
    SUBSCRIBED = 5
    PENDING = 6

    @property
    def word(self) -> str:
        return self.name.lower()


# Why whoever has left elsewhere is suppressed here.
REASONS = {
    Status.COMPLAINED: SuppressionReason.COMPLAINED,
    Status.CLEANED: SuppressionReason.BOUNCED,
    Status.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBED,
    Status.BLOCKED: SuppressionReason.BLOCKED,
    Status.LEFT: SuppressionReason.UNSUBSCRIBED,
}
# “*” stands for whatever else a cell may say.
Words = Mapping[str, Status]
ANYTHING_ELSE = "*"

_LISTED = {
    Status.COMPLAINED: "complained complaint complaints spam abuse reported plainte klacht beschwerde queja reclamo",
    Status.CLEANED: (
        "cleaned bounced bounce hard-bounced invalid undeliverable unreachable blocked suppressed nettoyé rejeté "
        "invalide ungültig ongeldig rebotado inválido"
    ),
    Status.UNSUBSCRIBED: (
        "unsubscribed unsubscribe nonsubscribed optout opt-out opted-out inactive disabled blocklisted blacklisted "
        "removed archived deleted left no false 0 désabonné désabonnée désinscrit désinscrite inactif non abgemeldet "
        "ausgetragen inaktiv nein uitgeschreven afgemeld inactief nee cancelado desuscrito inactivo disiscritto "
        "inattivo"
    ),
    Status.SUBSCRIBED: (
        "subscribed subscriber active enabled confirmed optin opt-in opted-in yes true 1 abonné abonnée inscrit "
        "inscrite actif active oui angemeldet abonniert aktiv ja ingeschreven geabonneerd actief suscrito activo sí "
        "si iscritto attivo inscrito ativo sim"
    ),
    Status.PENDING: (
        "pending unconfirmed validating waiting needs_attention en-attente non-confirmé ausstehend unbestätigt "
        "wartend onbevestigd wachtend pendiente sin-confirmar in-attesa pendente"
    ),
}
# Words of a column that is called “status”, whoever wrote it.
COMMON: Words = {word: status for status, words in _LISTED.items() for word in words.split()}


def read_status(cell: str, words: Words) -> Status:
    """The status a cell names. Raises InputError for one that says nothing we know: nobody is mailed on a guess."""
    said = "-".join(cell.lower().split())
    found = words.get(said, words.get(ANYTHING_ELSE))
    if found is None:
        ours = sorted(set(words.values())) if words is COMMON else []
        known = [status.word for status in ours] or [word for word in words if word]
        raise InputError(f"the status “{cell[:40]}” is not understood: write {', '.join(known)}")
    return found
