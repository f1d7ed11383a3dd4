"""What columns mean: in many languages, in other systems' exports, or as a person says."""

from __future__ import annotations

import pytest

from newsletter.audience.files.source import ReadAs, open_source
from newsletter.audience.mapping import map_columns
from newsletter.audience.presets.known import PRESETS
from newsletter.audience.statuses import Status
from newsletter.errors import InputError
from tests.unit.audience.files import opened, rows_of, zipped


@pytest.mark.parametrize(
    "header",
    [
        "Email Address,First Name,Last Name",
        "Adresse e-mail,Prénom,Nom de famille",
        "E-Mail-Adresse,Vorname,Nachname",
        "E-mailadres,Voornaam,Achternaam",
        "Correo electrónico,Nombre,Apellidos",
        "Indirizzo e-mail,Nome,Cognome",
        "Endereço de e-mail,Nome,Sobrenome",
        "Adres e-mail,Imię,Nazwisko",
        "Электронная почта,Имя,Фамилия",
        "メールアドレス,名,姓",
        "EMAIL,FNAME,LNAME",
        " e_mail , first_name , last_name ",
    ],
)
def test_columns_are_known_by_their_names_in_many_languages(header: str) -> None:
    fields = [column.field for column in map_columns(header.split(","), "people.csv").columns]
    assert fields == ["email", "first_name", "last_name"]


def test_all_other_columns_are_attributes_by_their_own_names() -> None:
    columns = map_columns(["Email", "Ville d’origine", "Город", "?!", "ville-d-origine"], "people.csv")
    assert columns.attribute_names == ("ville_d_origine", "город", "column_4", "ville_d_origine_5")


def test_a_full_name_is_taken_apart_where_there_is_no_first_name() -> None:
    rows, _, _ = rows_of(opened('email,name\na@example.org,Ada King\nb@example.org,"Roe, Bob"\nc@example.org,Cléo\n'))
    assert [(row.first_name, row.last_name) for row in rows] == [("Ada", "King"), ("Bob", "Roe"), ("Cléo", "")]
    assert [c.field for c in map_columns(["email", "Vorname", "Name"], "x").columns] == [
        "email", "first_name", "last_name",
    ]  # fmt: skip


def test_what_a_person_says_goes_before_what_names_say() -> None:
    said = {"Email": "-", "Qui": "email", "Note": "first_name", "Code": "zone"}
    columns = map_columns(["Email", "Qui", "Note", "Code"], "people.csv", by_hand=said)
    assert [str(column) for column in columns.columns] == [
        "Email → -",
        "Qui → email",
        "Note → first_name",
        "Code → zone",
    ]


EXPORTS = {
    "substack": (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "ada@example.org,false,,other,false,2024-01-15T10:00:00.000Z,\n"
        "bob@example.org,true,2027-01-01,yearly,true,2024-02-01T10:00:00.000Z,2024-02-01\n"
    ),
    "beehiiv": (
        "id,email,status,created_at,subscription_tier,utm_source,utm_medium\n"
        "1,ada@example.org,active,2024-01-15T10:00:00Z,free,site,\n"
        "2,bob@example.org,inactive,2024-02-01 10:00:00 UTC,free,,\n"
    ),
    "ghost": (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,"
        'tiers\n1,ada@example.org,Ada King,,true,false,,2024-01-15T10:00:00.000Z,,"vip,press",\n'
        "2,bob@example.org,,,false,false,,2024-02-01T10:00:00.000Z,,,\n"
    ),
    "listmonk": (
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        'u1,ada@example.org,Ada King,"{""city"": ""Liège"", ""n"": 3}",enabled,2024-01-15T10:00:00Z,\n'
        "u2,bob@example.org,Bob,{},blocklisted,2024-02-01T10:00:00Z,\n"
    ),
    "phplist": (
        "id\temail\tconfirmed\tblacklisted\tentered\tmodified\thtmlemail\tName\tList Membership\n"
        "1\tada@example.org\t1\t0\t2024-01-15 10:00:00\t\t1\tAda King\tnews\n"
        "2\tbob@example.org\t1\t1\t2024-02-01 10:00:00\t\t1\tBob\tnews\n"
    ),
    "keila": (
        "Email,First name,Last name,Data,Status,External ID\n"
        'ada@example.org,Ada,King,"{""city"": ""Liège"", ""n"": 3}",active,\n'
        "bob@example.org,Bob,,,unsubscribed,\n"
    ),
    "mailtrain": (
        "cid,status,HASH_EMAIL,EMAIL,MERGE_FIRST_NAME,MERGE_LAST_NAME,MERGE_CITY\n"
        "c1,subscribed,h1,ada@example.org,Ada,King,Liège\n"
        "c2,unsubscribed,h2,bob@example.org,Bob,,\n"
    ),
    "sendportal": (
        "id,hash,email,first_name,last_name,created_at,unsubscribed_at\n"
        "1,h1,ada@example.org,Ada,King,2024-01-15 10:00:00,\n"
        "2,h2,bob@example.org,Bob,,2024-02-01 10:00:00,2024-03-01 10:00:00\n"
    ),
}


@pytest.mark.parametrize("system", EXPORTS)
def test_an_export_is_recognised_with_its_statuses(system: str) -> None:
    source = opened(EXPORTS[system], f"{system}.csv")
    rows, faults, doubts = rows_of(source)
    assert source.tables[0].columns.preset == system
    assert source.says_who_agreed
    assert [(row.email, row.status) for row in rows] == [
        ("ada@example.org", Status.SUBSCRIBED),
        ("bob@example.org", Status.UNSUBSCRIBED),
    ]
    assert (faults, doubts) == ([], [])
    named = system in ("ghost", "listmonk", "phplist", "keila", "mailtrain", "sendportal")
    assert rows[0].first_name == ("Ada" if named else "")
    timed = system not in ("keila", "mailtrain")
    assert rows[0].opted_in_at == ("2024-01-15 10:00:00.000000" if timed else None)


def test_an_audience_of_mailchimp_is_a_zip_of_three() -> None:
    header = (
        "Email Address,First Name,Last Name,City,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,"
        "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
    )
    files: dict[str, str | bytes] = {
        "subscribed_members_export_0a1b.csv": f"{header}\n"
        "ada@example.org,Ada,King,Mons,2,2024-01-15 10:00:00,192.0.2.1,2024-01-15 11:00:00,2001:db8::1,,,,,"
        'Europe/Brussels,BE,,2024-02-01 00:00:00,7,e7,,"""vip"",""press, daily"""\n',
        "unsubscribed_members_export_0a.csv": f"{header},UNSUB_TIME\nbob@example.org,Bob,,,2{',' * 16},2024-03-01\n",
        "cleaned_members_export_0a1b.csv": f"{header},CLEAN_TIME\neve@example.org,Eve,,,2{',' * 16},2024-03-01\n",
    }
    source = open_source(zipped("audience_export.zip", files))
    rows, faults, _ = rows_of(source)
    assert {table.columns.preset for table in source.tables} == {"mailchimp"}
    assert [(row.email, row.status) for row in rows] == [
        ("ada@example.org", Status.SUBSCRIBED),
        ("bob@example.org", Status.UNSUBSCRIBED),
        ("eve@example.org", Status.CLEANED),
    ]
    ada = rows[0]
    assert (ada.attributes, ada.tags) == (
        '{"city": "Mons", "country": "BE"}',
        '["press, daily", "vip"]',
    )
    assert ada.timezone == "Europe/Brussels"
    assert ada.opted_in_at == "2024-01-15 10:00:00.000000"
    assert (ada.opted_in_ip, ada.confirmed_ip) == ("192.0.2.1", "2001:db8::1")
    assert faults == []


def test_the_named_systems_are_known() -> None:
    assert set(PRESETS) == {"mailchimp", "newsletter", *EXPORTS}


def test_a_preset_can_be_asked_for() -> None:
    source = opened("email,created_at\nada@example.org,2024-01-15\n", read_as=ReadAs(preset="Substack"))
    assert rows_of(source)[0][0].opted_in_at == "2024-01-15 00:00:00.000000"
    with pytest.raises(InputError, match="there is no preset “pigeon”: there are beehiiv"):
        opened("email\n", read_as=ReadAs(preset="pigeon"))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Subscribed", Status.SUBSCRIBED),
        ("abonnée", Status.SUBSCRIBED),
        ("Unsubscribed", Status.UNSUBSCRIBED),
        ("Désinscrit", Status.UNSUBSCRIBED),
        ("hard bounced", Status.CLEANED),
        ("complained", Status.COMPLAINED),
        ("En attente", Status.PENDING),
    ],
)
def test_a_column_of_statuses_is_understood_in_several_languages(word: str, status: Status) -> None:
    assert rows_of(opened(f"email,statut\nada@example.org,{word}\n"))[0][0].status == status


@pytest.mark.parametrize("word", ["perhaps", ""])
def test_nobody_is_mailed_on_a_status_that_is_not_understood(word: str) -> None:
    rows, faults, _ = rows_of(opened(f"email,status\nada@example.org,{word}\n"))
    assert rows == []
    assert "is not understood: write complained, cleaned, unsubscribed, subscribed, pending" in faults[0]


def test_of_several_columns_of_statuses_the_gravest_counts() -> None:
    text = "email\tconfirmed\tblacklisted\tList Membership\n"
    cases = {
        "1\t0": Status.SUBSCRIBED,
        "0\t0": Status.PENDING,
        "1\t1": Status.UNSUBSCRIBED,
        "0\t1": Status.UNSUBSCRIBED,
    }
    for cells, status in cases.items():
        assert rows_of(opened(f"{text}ada@example.org\t{cells}\tnews\n"))[0][0].status == status


def test_times_and_addresses_that_are_none_are_told_and_left_out() -> None:
    rows, faults, doubts = rows_of(opened("email,optin_time,optin_ip\nada@example.org,13/03/2026,300.1.1.1\n"))
    assert (rows[0].opted_in_at, rows[0].opted_in_ip, faults) == (None, None, [])
    assert [remark.kind for remark in doubts] == ["time", "ip"]


@pytest.mark.parametrize(
    "header", ["Language,Time zone", "Langue,Fuseau horaire", "Sprache,Zeitzone", "Taal,Tijdzone", "язык,TZ"]
)
def test_language_and_time_zone_are_columns_of_their_own(header: str) -> None:
    rows, faults, doubts = rows_of(opened(f"email,{header}\nada@example.org,PT_br,europe/LISBON\n"))
    assert (rows[0].language, rows[0].timezone, rows[0].attributes) == ("pt-BR", "Europe/Lisbon", "{}")
    assert (faults, doubts) == ([], [])


def test_a_language_or_a_zone_that_is_none_is_told_and_left_out() -> None:
    rows, faults, doubts = rows_of(opened("email,langue,tz\nada@example.org,le français,Bruxelles\n"))
    assert (rows[0].language, rows[0].timezone, faults) == ("", "", [])
    assert [remark.kind for remark in doubts] == ["language", "timezone"]
    assert doubts[0].words == "the language is left out: “le français” is not a language tag such as fr or pt-BR"
    assert doubts[1].words == "the timezone is left out: “Bruxelles” is not an IANA zone such as Europe/Brussels"


def test_language_and_time_zone_among_attributes_in_json_are_found_there() -> None:
    told = '"{""city"": ""Mons"", ""language"": ""fr-be"", ""timezone"": ""Europe/Paris""}"'
    rows, _, _ = rows_of(opened(f"uuid,email,attributes,status\n1,ada@example.org,{told},enabled\n"))
    assert (rows[0].language, rows[0].timezone, rows[0].attributes) == ("fr-BE", "Europe/Paris", '{"city": "Mons"}')


@pytest.mark.parametrize("told", ["city=Mons", '"{""city"": ""\\ud83d""}"'], ids=["no JSON", "half a character"])
def test_attributes_that_are_no_json_refuse_their_row(told: str) -> None:
    rows, faults, _ = rows_of(opened(f"uuid,email,attributes,status\n1,ada@example.org,{told},enabled\n"))
    assert rows == []
    assert "not a JSON object" in faults[0]


@pytest.mark.parametrize(("column", "value"), [("first_name", "x" * 201), ("notes", "x" * 2001), ("tags", "x" * 101)])
def test_what_is_too_long_refuses_its_row(column: str, value: str) -> None:
    rows, faults, _ = rows_of(opened(f"email,{column}\nada@example.org,{value}\n"))
    assert rows == []
    assert "longer than" in faults[0]
