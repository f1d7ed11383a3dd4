"""What the columns of a file hold, by their names."""

from __future__ import annotations

import unicodedata
from enum import StrEnum


class Field(StrEnum):
    """What a column may hold; a column that holds none of these is an attribute."""

    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    NAME = "name"
    LANGUAGE = "language"
    TIMEZONE = "timezone"
    STATUS = "status"
    TAGS = "tags"
    OPTED_IN_AT = "opted_in_at"
    OPTED_IN_IP = "opted_in_ip"
    CONFIRMED_AT = "confirmed_at"
    CONFIRMED_IP = "confirmed_ip"
    ATTRIBUTES = "attributes"
    IGNORED = "-"

    # What only our own exports tell, of a past on a list.
    SUBSCRIPTION = "subscription"
    CONSENT = "consent"
    SUBSCRIBED_AT = "subscribed_at"
    UNSUBSCRIBED_AT = "unsubscribed_at"
    PAUSED_UNTIL = "paused_until"
    SUPPRESSED = "suppressed"
    SUPPRESSED_BY = "suppressed_by"
    SUPPRESSED_AT = "suppressed_at"
    SUPPRESSED_UNTIL = "suppressed_until"
    TRACKING = "tracking"
    TRAIL = "trail"


PAST = (
    Field.SUBSCRIPTION,
    Field.CONSENT,
    Field.SUBSCRIBED_AT,
    Field.UNSUBSCRIBED_AT,
    Field.PAUSED_UNTIL,
    Field.SUPPRESSED,
    Field.SUPPRESSED_BY,
    Field.SUPPRESSED_AT,
    Field.SUPPRESSED_UNTIL,
    Field.TRACKING,
    Field.TRAIL,
)


def field_by_hand(target: str) -> Field | None:
    """The field a person means who maps a column to it; None for the name of an attribute."""
    return Field(target) if target in set(Field) - set(PAST) else None


def header_key(name: str) -> str:
    """A column's name in the form it is looked up by: lower case, without accents, words joined by hyphens."""
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(sign)
    )
    return "-".join("".join(sign if sign.isalnum() else " " for sign in plain).split())


_NAMES = {
    Field.EMAIL: (
        "email e-mail mail email-address e-mail-address mail-address subscriber-email user-email-address "
        "courriel mel adresse-e-mail adresse-email adresse-mail adresse-electronique adresse-courriel "
        "e-mail-adresse email-adresse mailadresse e-mailadresse emailadres e-mailadres mailadres "
        "correo correo-electronico direccion-de-correo indirizzo-email indirizzo-e-mail posta-elettronica "
        "correio-eletronico endereco-de-email endereco-de-e-mail adres-e-mail adres-email epost e-post sahkoposti "
        "e-posta eposta почта эл-почта электронная-почта имеил адрес-электроннои-почты "
        "メールアドレス 電子メール 邮箱 电子邮件"
    ),
    Field.FIRST_NAME: (
        "first-name firstname fname given-name givenname forename prenom vorname rufname voornaam nombre "
        "nombre-de-pila nome primeiro-nome imie fornamn fornavn etunimi ad имя 名"
    ),
    Field.LAST_NAME: (
        "last-name lastname lname surname family-name familyname nom nom-de-famille nachname familienname achternaam "
        "familienaam apellido apellidos cognome sobrenome apelido nazwisko efternamn etternavn sukunimi soyad "
        "фамилия 姓"
    ),
    Field.NAME: "name full-name fullname nom-complet vollstandiger-name naam volledige-naam nombre-completo "
    "nome-completo 氏名 姓名",
    Field.LANGUAGE: (
        "language lang language-code locale preferred-language langue langue-preferee code-langue sprache taal "
        "voorkeurstaal idioma lengua lingua jezyk sprak kieli sprog dil язык 言語 语言"
    ),
    Field.TIMEZONE: (
        "timezone time-zone tz tzid fuseau-horaire fuseau zeitzone tijdzone zona-horaria huso-horario fuso-orario "
        "fuso-horario strefa-czasowa tidszon tidssone aikavyohyke tidszone saat-dilimi часовои-пояс タイムゾーン 时区"
    ),
    Field.STATUS: "status subscription-status subscriber-status statut etat abonnement-status estado stato статус",
    Field.TAGS: "tags tag labels label etiquettes etiquette mots-cles schlagworter etiquetas etichette метки теги",
    Field.OPTED_IN_AT: (
        "optin-time opt-in-time opted-in-at optin-date opt-in-date signup-date sign-up-date signed-up-at "
        "subscribed-at subscription-date date-subscribed date-d-inscription inscrit-le abonne-le anmeldedatum "
        "angemeldet-am inschrijvingsdatum ingeschreven-op fecha-de-alta data-di-iscrizione data-de-inscricao"
    ),
    Field.OPTED_IN_IP: "optin-ip opt-in-ip opted-in-ip signup-ip sign-up-ip ip-address ip adresse-ip ip-adresse",
    Field.CONFIRMED_AT: (
        "confirm-time confirmed-at confirmation-date confirmation-time date-de-confirmation confirme-le bestatigt-am "
        "bevestigd-op fecha-de-confirmacion"
    ),
    Field.CONFIRMED_IP: "confirm-ip confirmed-ip confirmation-ip",
}
FIELDS = {header_key(name): field for field, names in _NAMES.items() for name in names.split()}
# What an import writes in front of a file's own columns where it gives back faulty rows.
FAULT_COLUMNS = ("file", "line", "reason")


def attribute_name(name: str, number: int) -> str:
    """The attribute that the column of that name fills; `number` (from 1) stands in for a name without letters."""
    return header_key(name).replace("-", "_") or f"column_{number}"


def holds_addresses(header: list[str]) -> bool:
    """Whether one of the columns is known to hold addresses."""
    return any(FIELDS.get(header_key(name)) is Field.EMAIL for name in header)
