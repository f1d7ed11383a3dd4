"""Mailbox providers so large that naming one names nobody."""

from __future__ import annotations

OTHER = "other"
_DOMAINS = """
    gmail.com googlemail.com outlook.com outlook.fr outlook.be hotmail.com hotmail.fr hotmail.be hotmail.co.uk
    hotmail.de hotmail.nl hotmail.it live.com live.be live.fr live.nl msn.com yahoo.com yahoo.fr yahoo.co.uk yahoo.de
    yahoo.it yahoo.es ymail.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.com gmx.at gmx.ch web.de
    t-online.de freenet.de orange.fr wanadoo.fr free.fr sfr.fr neuf.fr laposte.net bbox.fr proximus.be skynet.be
    telenet.be voo.be scarlet.be ziggo.nl kpnmail.nl planet.nl xs4all.nl libero.it virgilio.it bluewin.ch proton.me
    protonmail.com fastmail.com posteo.de mailbox.org zoho.com mail.ru yandex.ru comcast.net verizon.net att.net
    bell.net rogers.com btinternet.com sky.com
"""
LARGE = frozenset(_DOMAINS.split())


def provider_of(email: str) -> str:
    """The domain of a normalised address where it is a large provider's, else `other`."""
    domain = email.rpartition("@")[2]
    return domain if domain in LARGE else OTHER
