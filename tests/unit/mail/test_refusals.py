from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.refusals import Refusal, classify, domain_backs_off

ADDRESS, FULL, POLICY, CONTENT, RATE, OTHER = Refusal

# What servers say, by who says it.
REPLIES = [
    # Postfix and Exim
    (ADDRESS, "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in virtual mailbox table"),
    (ADDRESS, "550 5.1.2 <ada@example.org>: Recipient address rejected: Domain not found"),
    (ADDRESS, "550 Unrouteable address"),
    (ADDRESS, "550 <ada@example.org> is not a known user"),
    (ADDRESS, "550 the recipient could not be found"),
    (ADDRESS, "550 Sorry, no mailbox here by that name. (#5.1.1)"),
    (ADDRESS, "550 No such user here"),
    (ADDRESS, "550 <ada@example.org> User not known at this site"),
    (ADDRESS, "550 ada@example.org: this mailbox is no longer in use"),
    (ADDRESS, "551 User has gone; please try <ada@example.net>"),
    (ADDRESS, "553 5.3.0 <ada@example.org>... No such user"),
    (ADDRESS, "556 5.1.10 the domain has a null MX"),
    (ADDRESS, "550 5.4.4 Host or domain name not found"),
    (ADDRESS, "550 The domain example.org doesn't exist"),
    (ADDRESS, "550 5.1.0 <ada@example.org>: account is closed"),
    (ADDRESS, "521 mx.example.org does not accept mail"),
    (FULL, "452 4.2.2 Mailbox full"),
    (FULL, "452 4.2.2 <ada@example.org> cannot keep more messages"),
    (FULL, "552 5.2.2 <ada@example.org> Over STORAGE quota"),
    (FULL, "552 Requested mail action aborted: exceeded storage allocation"),
    (FULL, "554 5.7.1 <ada@example.org>: the recipient's mailbox is full"),
    (POLICY, "554 5.7.1 <bob@example.net>: Relay access denied"),
    (POLICY, "550 relay not permitted"),
    (POLICY, "550 You are not allowed to connect"),
    (POLICY, "553 the return address does not exist"),
    (POLICY, "550 Unauthorized"),
    (RATE, "550 5.1.1 <ada@example.org> - 192.0.2.1 has sent to too many recipients this hour"),
    (ADDRESS, "525 5.7.13 <ada@example.org>: Recipient address rejected: User account disabled"),
    (ADDRESS, "525 5.7.13 Disabled recipient address"),
    (POLICY, "525 5.7.13 User account disabled"),
    (POLICY, "550 SC-004 messages from 192.0.2.1 weren't sent: too many unwanted messages from this IP address"),
    (POLICY, "550 Sender verify failed"),
    (POLICY, "550 5.1.8 <redaction@example.org>: Sender address rejected: Domain not found"),
    (POLICY, "550 5.1.1 <redaction@example.org>: Sender address rejected: User unknown in local recipient table"),
    (POLICY, "553 5.7.1 <redaction@example.org>: Sender address rejected: not owned by user weekly"),
    (POLICY, "554 5.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]"),
    (POLICY, "530 5.7.0 Must issue a STARTTLS command first"),
    (POLICY, "550 Administrative prohibition"),
    (POLICY, "535 5.7.8 Error: authentication failed"),
    (CONTENT, "552 5.3.4 Message size exceeds fixed limit"),
    (CONTENT, "552 Message too big"),
    (CONTENT, "550 This message contains a virus (Eicar-Test-Signature)"),
    (CONTENT, "554 5.6.0 Message has bare LF characters"),
    (CONTENT, "554 5.7.1 Blocked because of the type of an attachment"),
    (RATE, "421 4.7.0 mx.example.org Error: too many connections from 192.0.2.1"),
    (RATE, "450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted, come back in 300 seconds"),
    (RATE, "450 4.1.1 <ada@example.org>: Recipient address rejected: Address verification in progress"),
    (RATE, "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"),
    (RATE, "450 4.3.2 Excessive message rate from 192.0.2.1"),
    (RATE, "451 Temporary local problem - please try later"),
    (OTHER, "451 4.3.5 Server configuration error"),
    (OTHER, "452 4.3.1 Insufficient system storage"),
    (OTHER, "554 5.4.6 Too many hops"),
    (OTHER, "554 5.5.1 Error: no valid recipients"),
    (OTHER, "550 Rejected"),
    (OTHER, "451 4.3.0 Temporary lookup failure"),
    # Gmail
    (
        ADDRESS,
        "550 5.1.1 The email account you tried to reach does not exist. https://support.google.com/mail/?p=NoSuchUser",
    ),
    (
        ADDRESS,
        "550 5.2.1 The email account you tried to reach is inactive. https://support.google.com/mail/?p=DisabledUser",
    ),
    (
        FULL,
        "452 4.2.2 The recipient's inbox is out of storage space. https://support.google.com/mail/?p=OverQuotaTemp",
    ),
    (FULL, "552 5.2.2 The recipient's inbox is out of storage space and inactive. https://support.google.com/mail/"),
    (
        POLICY,
        "550 5.7.26 Your email has been blocked because the sender is unauthenticated: SPF and DKIM did not pass",
    ),
    (POLICY, "550 5.7.1 [192.0.2.1] this message is suspicious due to the very low reputation of the sending domain"),
    (CONTENT, "550 5.7.1 [192.0.2.1 12] This message is likely unsolicited mail and has been blocked"),
    (CONTENT, "552 5.7.0 This message was blocked because its content presents a potential security issue"),
    (CONTENT, "552 5.2.3 Your message exceeded Google's message size limits"),
    (CONTENT, "550 5.7.1 Messages with multiple addresses in From: header are not accepted, RFC 5322"),
    (RATE, "421 4.7.28 An unusual rate of unsolicited mail originates from your IP address"),
    (RATE, "450 4.2.1 The user you are trying to contact is receiving mail too quickly; please resend later"),
    (RATE, "550 5.2.1 The user you write to is receiving mail at a rate that prevents more from being delivered"),
    (RATE, "550 5.4.5 Daily user sending limit exceeded"),
    # Outlook.com and Exchange
    (ADDRESS, "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)"),
    (ADDRESS, "550 5.4.1 Recipient address rejected: Access denied. [AM6EUR05FT021.mail.protection.outlook.com]"),
    (
        ADDRESS,
        "550 5.4.1 All recipient addresses rejected : Access denied [DB5EUR01FT044.mail.protection.outlook.com]",
    ),
    (ADDRESS, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
    (ADDRESS, "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized"),
    (ADDRESS, "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"),
    (ADDRESS, "550 5.7.1 Recipient unknown"),
    (ADDRESS, "550 5.4.310 DNS domain example.org does not exist [Message=InfoDomainNonexistent]"),
    (FULL, "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException"),
    (POLICY, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent: they are on our block list (S3140)"),
    (POLICY, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]"),
    (POLICY, "550 5.7.515 Access denied, example.org does not meet the required authentication level"),
    (POLICY, "550 5.7.64 TenantAttribution; Relay Access Denied"),
    (POLICY, "550 SC-001 Mail rejected by Outlook.com for policy reasons"),
    (CONTENT, "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient"),
    (RATE, "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation"),
    (RATE, "451 4.7.500 Server busy. Please try again later from [192.0.2.1]"),
    (OTHER, "550 5.4.316 Message expired, connection refused"),
    # Yahoo, AOL, iCloud
    (ADDRESS, "554 delivery error: dd This user doesn't have a yahoo.com account (ada@yahoo.com) [0]"),
    (
        ADDRESS,
        "554 delivery error: dd Sorry, your message to ada@yahoo.fr failed. This mailbox is disabled (554.30).",
    ),
    (ADDRESS, "554 delivery error: dd Not a valid recipient - mta4002.mail.ir2.yahoo.com"),
    (ADDRESS, "552 1 Requested mail action aborted, mailbox not found"),
    (ADDRESS, "550 5.1.1 <ada@icloud.com>: inactive email address"),
    (FULL, "552 5.2.2 <ada@icloud.com>: user is over quota"),
    (
        POLICY,
        "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list",
    ),
    (POLICY, "554 5.7.9 Message not accepted for policy reasons"),
    (
        POLICY,
        "554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
    ),
    (RATE, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints"),
    # France and Belgium: Orange, La Poste, Free, SFR, Skynet
    (ADDRESS, "550 5.1.1 Adresse d’au moins un destinataire invalide. Invalid recipient. OFR_416 [416]"),
    (ADDRESS, "550 5.5.0 Adresse d au moins un destinataire invalide. OFR204_416"),
    (ADDRESS, "550 5.5.0 Le compte du destinataire est bloqué. LPN007_426"),
    (ADDRESS, "550 5.2.1 This mailbox has been blocked due to inactivity (UserSearch)"),
    (ADDRESS, "550 Utilisateur inconnu"),
    (ADDRESS, "550 <ada@skynet.be> gebruiker onbekend"),
    (FULL, "552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]"),
    (POLICY, "501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_402 [402]"),
    (POLICY, "550 5.5.0 Service refuse. Veuillez essayer plus tard. Service refused, please try later. LPN007_510"),
    (CONTENT, "550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]"),
    (CONTENT, "554 5.7.1 spam détecté"),
    (CONTENT, "550 spam detecte"),
    (CONTENT, "550 5.5.0 Taille limite du message atteinte LPN007_514"),
    (RATE, "421 Too many spams from your IP (192.0.2.1), please visit http://postmaster.free.fr/"),
    (RATE, "421 mwinf5c04 ME Trop de connexions. Too many connections, slow down. OFR004_104"),
    (RATE, "450 Trop de connexions, veuillez verifier votre configuration"),
    # Germany: T-Online, GMX, Web.de
    (ADDRESS, "550 5.1.1 user unknown"),
    (
        ADDRESS,
        "550 Requested action not taken: mailbox unavailable https://postmaster.gmx.net/en/case?c=hi&i=ip&v=192.0.2.1",
    ),
    (ADDRESS, "550 Benutzer nicht bekannt/User unknown"),
    (ADDRESS, "550 Unknown local part ada in <ada@web.de>"),
    (FULL, "550 Benutzer hat das Speichervolumen überschritten. / User has exhausted allowed storage space."),
    (FULL, "550 Benutzer hat zuviele Mails auf dem Server. / User has too many messages on the server."),
    (POLICY, "554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster to contact tobr@rx.t-online.de)"),
    (POLICY, "554 IP=192.0.2.1 - None/bad reputation. Contact tobr@rx.t-online.de for reset. (NOWL)"),
    (
        POLICY,
        "554 gmx.net (mxgmx104) Nemesis ESMTP Service not available No SMTP service IP address is block listed.",
    ),
    (POLICY, "550 Requested action not taken: mailbox unavailable Reject due to policy restrictions."),
    (POLICY, "550 Reject due to SPF policy. The originating IP of the message is not permitted by the domain owner"),
    (POLICY, "554 Nemesis ESMTP Service not available Bad DNS PTR resource record."),
    (CONTENT, "550 5.7.0 Message considered as spam or virus, rejected"),
    (RATE, "421 Rate limit reached. Please try again later"),
    # Gateways: Mimecast, Proofpoint, Barracuda, IronPort; lists
    (ADDRESS, "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550"),
    (ADDRESS, "550 permanent failure for one or more recipients (ada@example.org:550 5.1.1 User unknown)"),
    (ADDRESS, "550 #5.1.0 Address rejected."),
    (ADDRESS, "550 5.7.1 User ada not listed in Domino Directory"),
    (POLICY, "550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550"),
    (POLICY, "550 Rejected by header based Anti-Spoofing policy - https://community.mimecast.com/docs/DOC-1369#550"),
    (POLICY, "550 csi.mimecast.org Poor Reputation Sender."),
    (POLICY, "554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1"),
    (POLICY, "550 permanent failure for one or more recipients (ada@example.org:blocked)"),
    (POLICY, "554 Service unavailable; Client host [mx.example.org] blocked using Barracuda Reputation"),
    (POLICY, "554 Your access to this mail system has been rejected due to the sending MTA's poor reputation"),
    (
        POLICY,
        "554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1",
    ),
    (POLICY, "550 5.1.1 Mail from 192.0.2.1 refused, see https://www.spamhaus.org/query/ip/192.0.2.1"),
    (POLICY, "550 We do not accept mail from hosts in dynamic ranges, they are listed in a DNSBL"),
    (CONTENT, "554 Virus signature detected - https://community.mimecast.com/docs/DOC-1369#554"),
    (CONTENT, "550 Message rejected by content filter"),
    (RATE, "451 Internal resources are temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451"),
    # Relays that carry for others: SES, SendGrid
    (POLICY, "554 Message rejected: Email address is not verified"),
    (POLICY, "550 5.7.1 Your account has been suspended"),
    (POLICY, "550 Unauthenticated senders not allowed"),
    (RATE, "454 Throttling failure: Maximum sending rate exceeded."),
    (RATE, "454 Throttling failure: Daily message quota exceeded."),
    # Not a server's words
    (OTHER, ""),
    (OTHER, "connection lost: the server closed the connection"),
    (OTHER, "connection lost: Connection refused"),
    (OTHER, "no answer within 60 seconds"),
    (OTHER, "the server does not take addresses outside ASCII (no SMTPUTF8)"),
]


@pytest.mark.parametrize(("refusal", "reply"), REPLIES, ids=[reply[:60] for _, reply in REPLIES])
def test_a_refusal_is_laid_to_what_stood_in_the_way(refusal: Refusal, reply: str) -> None:
    assert classify(reply) is refusal


@pytest.mark.parametrize("status", ["5.1.1", "5.2.2", "5.3.4", "5.7.26", "4.7.1"])
def test_a_clear_status_is_believed_without_words(status: str) -> None:
    expected = {"5.1.1": ADDRESS, "5.2.2": FULL, "5.3.4": CONTENT, "5.7.26": POLICY, "4.7.1": RATE}
    assert classify(f"{status[0]}50 {status}") is expected[status]


@pytest.mark.parametrize(
    "reply", ["550 rejected, see 192.5.1.1", "550 rejected by 5.1.1.9", "550 rejected, 5.1.1111"]
)
def test_numbers_of_another_kind_are_no_status(reply: str) -> None:
    assert classify(reply) is OTHER


@pytest.mark.parametrize(
    "address", ["spam@example.org", "full.mailbox@quota.example", "user-unknown@example.org", "sender@virus.example"]
)
@pytest.mark.parametrize("around", ["<{}>", "({})", "{}:", "[{}]", "'{}'"])
def test_the_words_of_an_address_say_nothing(address: str, around: str) -> None:
    assert classify(f"550 {around.format(address)} cannot be served") is OTHER


@pytest.mark.parametrize(
    ("reply", "backs_off"),
    [
        ("421 mx.example.org closing", True),
        ("421 4.2.1 unavailable", True),
        ("451 4.7.1 try again later", True),
        ("450 4.7.650 rate limited", True),
        ("451 4.3.2 try again later", False),
        ("450 4.2.2 over quota, 421 messages kept", False),
        ("550 5.7.1 blocked", False),
        ("550 rejected by 192.4.7.1", False),
        ("4210 what", False),
        ("", False),
    ],
)
def test_a_domain_backs_off_by_421_or_a_transient_policy_status(reply: str, backs_off: bool) -> None:
    assert domain_backs_off(reply) is backs_off


@given(st.text(max_size=200), st.sampled_from(["", "421 ", "451 4.7.1 ", "550 ", "550 5.7.1 ", "552 5.2.2 "]))
def test_any_reply_has_a_class_and_one_that_backs_off_is_about_the_rate(text: str, numbers: str) -> None:
    assert classify(numbers + text) in Refusal
    if domain_backs_off(numbers + text):
        assert classify(numbers + text) is RATE
