from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.sending.times import due_at, duration, time_of_day
from newsletter.sending.window import Window, parse_window
from newsletter.sending.zones import cohorts, local_moment

NOW = datetime(2026, 3, 13, 7, 0, tzinfo=UTC)
BRUSSELS, NEW_YORK, LORD_HOWE, KATHMANDU, APIA = (
    ZoneInfo(name)
    for name in ("Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WORKING_DAYS = frozenset(range(5))

# Zones whose clocks change by an hour, by half an hour, at midnight, on Saturdays (Nuuk), by a whole day, or never.
zones = st.sampled_from(
    [
        *("Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"),
        *("America/Nuuk", "Asia/Beirut", "America/Havana", "Africa/Casablanca", "Pacific/Chatham"),
    ]
)
moments = st.datetimes(datetime(2008, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
minutes = st.times().map(lambda at: at.replace(second=0, microsecond=0))
windows = st.builds(Window, minutes, minutes, st.sets(st.integers(0, 6), min_size=1).map(frozenset))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# --at


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-13T08:00", "2026-03-13T07:00Z"),
        ("2026-03-13 09:30:15", "2026-03-13T08:30:15Z"),
        ("2026-07-13T08:00", "2026-07-13T06:00Z"),
        ("2026-07-13T08:00Z", "2026-07-13T08:00Z"),
        ("2026-07-13T08:00-04:00", "2026-07-13T12:00Z"),
        ("2026-07-13T08:00 America/New_York", "2026-07-13T12:00Z"),
        ("2026-07-13T08:00[America/New_York]", "2026-07-13T12:00Z"),
        (" 2026-07-13 08:00  Asia/Kathmandu ", "2026-07-13T02:15Z"),
        ("2026-07-13T08:00 [Asia/Kathmandu]", "2026-07-13T02:15Z"),
        # Half past two on those mornings is skipped or doubled in Brussels only.
        ("2026-03-29T02:30 America/New_York", "2026-03-29T06:30Z"),
        ("2026-03-29T03:00", "2026-03-29T01:00Z"),
        ("2026-03-29T01:59", "2026-03-29T00:59Z"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30Z"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30Z"),
    ],
)
def test_a_time_is_taken_at_its_offset_or_in_its_zone_or_else_in_the_publications(text: str, moment: str) -> None:
    assert due_at(text, BRUSSELS, NOW) == utc(moment)
    assert due_at(text, BRUSSELS, NOW).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "2026-03-29T02:30",
            "2026-03-29T02:30 is skipped in Europe/Brussels, clocks go from 02:00 to 03:00: "
            "write 2026-03-29T01:59+01:00 or 2026-03-29T03:00+02:00",
        ),
        (
            "2026-03-29T02:00:00.5 Europe/Brussels",
            "2026-03-29T02:00 is skipped in Europe/Brussels, clocks go from 02:00 to 03:00: "
            "write 2026-03-29T01:59+01:00 or 2026-03-29T03:00+02:00",
        ),
        (
            "2027-03-14T02:59:59[America/New_York]",
            "2027-03-14T02:59:59 is skipped in America/New_York, clocks go from 02:00 to 03:00: "
            "write 2027-03-14T01:59-05:00 or 2027-03-14T03:00-04:00",
        ),
        (
            "2026-10-04T02:15 Australia/Lord_Howe",
            "2026-10-04T02:15 is skipped in Australia/Lord_Howe, clocks go from 02:00 to 02:30: "
            "write 2026-10-04T01:59+10:30 or 2026-10-04T02:30+11:00",
        ),
    ],
)
def test_a_time_that_the_zone_skips_is_refused_with_the_nearest_ones(text: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        due_at(text, BRUSSELS, NOW)
    assert str(caught.value) == f"--at: {complaint}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "2026-10-25T02:30",
            "Europe/Brussels: choose one by its offset, 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00",
        ),
        (
            "2026-11-01T01:00:30 America/New_York",
            "America/New_York: choose one by its offset, 2026-11-01T01:00:30-04:00 or 2026-11-01T01:00:30-05:00",
        ),
        (
            "2027-04-04T01:45 Australia/Lord_Howe",
            "Australia/Lord_Howe: choose one by its offset, 2027-04-04T01:45+11:00 or 2027-04-04T01:45+10:30",
        ),
    ],
)
def test_a_time_that_the_zone_has_twice_is_refused_with_both(text: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        due_at(text, BRUSSELS, NOW)
    when = text.partition(" ")[0]
    assert str(caught.value) == f"--at: {when} comes twice in {complaint}"


@pytest.mark.parametrize("text", ["2026-03-29T01:59+01:00", "2026-03-29T03:00+02:00", "2026-10-25T02:30+01:00"])
def test_what_a_refusal_tells_to_write_is_taken(text: str) -> None:
    assert due_at(text, NEW_YORK, NOW) == utc(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "“” is not a date and time: write one such as 2026-03-13T08:00"),
        ("tomorrow at noon", "“tomorrow at noon” is not a date and time"),
        ("2026-03-32T08:00", "“2026-03-32T08:00” is not a date and time"),
        ("2026-03-14T8:00", "is not a date and time"),
        ("0001-01-01T00:00+14:00", "is not a date and time"),
        ("9999-12-31T23:59-12:00", "is not a date and time"),
        ("two\nlines " + "x" * 100, "“two lines x"),
        ("2026-03-14", "“2026-03-14” has no time of day: write it too, as in 2026-03-14T08:00"),
        ("20260314 Europe/Brussels", "has no time of day: write it too, as in 2026-03-14T08:00"),
        ("2026-03-14T08:00 PM", "“PM” is not an IANA zone: write one such as Europe/Brussels"),
        ("2026-03-14T08:00 Europe", "“Europe” is not an IANA zone"),
        ("2026-03-14T08:00[../../etc/passwd]", "“../../etc/passwd” is not an IANA zone"),
        ("2026-03-14T08:00[]", "“” is not an IANA zone"),
        ("2026-03-14T08:00+01:00 Europe/Brussels", "has an offset and a zone: leave one of them out"),
        ("2026-03-13T07:58", "“2026-03-13T07:58” is past: write a later time, or send it with --now"),
        ("2011-12-30T08:00 Pacific/Apia", "2011-12-30T08:00 is skipped in Pacific/Apia"),
    ],
)
def test_what_cannot_be_sent_at_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        due_at(text, BRUSSELS, NOW)
    assert str(caught.value).startswith("--at: ")
    assert complaint in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_time_is_past_when_a_minute_is_over() -> None:
    assert due_at("2026-03-13T07:59", BRUSSELS, NOW) == NOW - MINUTE
    with pytest.raises(InputError, match="is past"):
        due_at("2026-03-13T07:59", BRUSSELS, NOW + timedelta(microseconds=1))


@settings(deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"20[2-9][0-9]-[01][0-9]-[0-3][0-9].[0-9:]{2,8}.{0,12}", fullmatch=True))
def test_any_text_is_a_moment_or_refused_in_one_line(text: str) -> None:
    try:
        assert due_at(text, BRUSSELS, NOW) >= NOW - MINUTE
    except InputError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017


@settings(deadline=None)
@given(moments.filter(lambda moment: moment > NOW), zones)
def test_a_moment_is_found_again_by_the_time_clocks_show_then(moment: datetime, zone: str) -> None:
    shown = moment.astimezone(ZoneInfo(zone))
    try:
        assert due_at(f"{shown:%Y-%m-%dT%H:%M:%S.%f}", ZoneInfo(zone), NOW) == moment
    except InputError as error:
        assert "comes twice" in str(error)  # noqa: PT017
        assert f"{shown:%H:%M}" in str(error)  # noqa: PT017


# Lengths of time


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("1h30m", timedelta(minutes=90)),
        ("1d", DAY),
        ("1d1h1m1s", timedelta(days=1, hours=1, minutes=1, seconds=1)),
        ("1s", timedelta(seconds=1)),
        ("7d", timedelta(days=7)),
        ("168h", timedelta(days=7)),
    ],
)
def test_a_length_of_time_is_written_in_days_hours_minutes_and_seconds(text: str, length: timedelta) -> None:
    assert duration(text, "--expire") == length


@pytest.mark.parametrize(
    "text", ["", "10", "h", "1.5h", "-1h", "30m1h", "1 h", "1H", "1w", "١h", "123456789s", "1h\n"]
)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^--expire: “.*” is not a length of time: write one such as 90s") as caught:
        duration(text, "--expire")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["0s", "0d0h", "7d1s", "169h", "99999999d99999999h"])
def test_a_length_of_time_is_a_second_at_least_and_a_week_at_most(text: str) -> None:
    with pytest.raises(InputError, match=rf"^--expire: “{text}” is out of range: write from 1s to 7d$"):
        duration(text, "--expire")


# Times of day


@pytest.mark.parametrize(
    ("text", "at"), [("08:00", time(8)), ("8:00", time(8)), ("00:00", time(0)), ("23:59", time(23, 59))]
)
def test_a_time_of_day_is_read_by_the_24_hour_clock(text: str, at: time) -> None:
    assert time_of_day(text, "--at-local") == at


@pytest.mark.parametrize("text", ["", "8", "8am", "24:00", "08:60", "08:00:00", "8.00", "-8:00", "٠٨:٠٠", "08:00\n"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(
        InputError, match=r"^--at-local: “.*” is not a time of day: write one such as 08:00"
    ) as caught:
        time_of_day(text, "--at-local")
    assert len(str(caught.value).splitlines()) == 1


# Windows


@pytest.mark.parametrize(
    ("text", "window", "written"),
    [
        ("08:00-20:00", Window(time(8), time(20)), "08:00-20:00"),
        ("8:00-20:00", Window(time(8), time(20)), "08:00-20:00"),
        ("mon-fri 08:00-20:00", Window(time(8), time(20), WORKING_DAYS), "mon-fri 08:00-20:00"),
        ("Mon,Tue,wed-FRI  08:00-20:00", Window(time(8), time(20), WORKING_DAYS), "mon-fri 08:00-20:00"),
        ("sat,sun 10:00-12:00", Window(time(10), time(12), frozenset({5, 6})), "sat,sun 10:00-12:00"),
        ("fri-mon 10:00-12:00", Window(time(10), time(12), frozenset({4, 5, 6, 0})), "mon,fri-sun 10:00-12:00"),
        ("wed 10:00-12:00", Window(time(10), time(12), frozenset({2})), "wed 10:00-12:00"),
        ("mon-sun 22:00-06:00", Window(time(22), time(6)), "22:00-06:00"),
    ],
)
def test_a_window_is_hours_on_some_or_all_days(text: str, window: Window, written: str) -> None:
    assert parse_window(text) == window
    assert str(window) == written


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "“” is not a window: write one such as mon-fri 08:00-20:00"),
        ("mon-fri", "“mon-fri” is not a window"),
        ("08:00", "“08:00” is not a window"),
        ("08:00-20:00-21:00", "is not a window"),
        ("08:00 - 20:00", "is not a window"),
        ("08:00-25:00", "“25:00” is not a time of day"),
        ("8-20", "“8” is not a time of day"),
        ("monday 08:00-20:00", "“monday” is not a day of the week: write days as in mon-fri or sat,sun"),
        ("mon- 08:00-20:00", "“mon-” is not a day of the week"),
        ("mon,,tue 08:00-20:00", "“” is not a day of the week"),
        ("mon-wed-fri 08:00-20:00", "“mon-wed-fri” is not a day of the week"),
    ],
)
def test_what_is_no_window_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_window(text, "--hours")
    assert str(caught.value).startswith("--hours: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize("days", [frozenset(), frozenset({7}), frozenset({-1, 3})])
def test_a_window_has_a_day_of_the_week(days: frozenset[int]) -> None:
    with pytest.raises(ValueError, match="one or more of 0 to 6"):
        Window(time(8), time(20), days)


@given(windows)
def test_a_window_is_read_as_it_is_written(window: Window) -> None:
    assert parse_window(str(window)) == window


@pytest.mark.parametrize(
    ("window", "now", "opening"),
    [
        # Friday 13 March 2026 is at +01:00 in Brussels.
        ("08:00-20:00", "2026-03-13T07:59+01:00", "2026-03-13T08:00+01:00"),
        ("08:00-20:00", "2026-03-13T08:00+01:00", "2026-03-13T08:00+01:00"),
        ("08:00-20:00", "2026-03-13T19:59:59+01:00", "2026-03-13T19:59:59+01:00"),
        ("08:00-20:00", "2026-03-13T20:00+01:00", "2026-03-14T08:00+01:00"),
        ("mon-fri 08:00-20:00", "2026-03-13T20:00+01:00", "2026-03-16T08:00+01:00"),
        ("fri 22:00-06:00", "2026-03-14T05:59+01:00", "2026-03-14T05:59+01:00"),
        ("fri 22:00-06:00", "2026-03-14T06:00+01:00", "2026-03-20T22:00+01:00"),
        ("fri 22:00-06:00", "2026-03-13T05:00+01:00", "2026-03-13T22:00+01:00"),
        ("sat,sun 00:00-00:00", "2026-03-15T23:59+01:00", "2026-03-15T23:59+01:00"),
        ("sat,sun 00:00-00:00", "2026-03-16T00:00+01:00", "2026-03-21T00:00+01:00"),
        # The night of 29 March has no hour from two to three.
        ("08:00-20:00", "2026-03-28T20:00+01:00", "2026-03-29T08:00+02:00"),
        ("22:00-06:00", "2026-03-29T05:59+02:00", "2026-03-29T05:59+02:00"),
        ("22:00-06:00", "2026-03-29T06:00+02:00", "2026-03-29T22:00+02:00"),
        ("02:30-04:00", "2026-03-29T01:59+01:00", "2026-03-29T03:00+02:00"),
        ("02:10-02:50", "2026-03-29T01:59+01:00", "2026-03-30T02:10+02:00"),
        ("sun 02:10-02:50", "2026-03-29T01:59+01:00", "2026-04-05T02:10+02:00"),
        # The night of 25 October has it twice: a window opens once, at the first.
        ("08:00-20:00", "2026-10-24T20:00+02:00", "2026-10-25T08:00+01:00"),
        ("02:10-02:50", "2026-10-25T02:00+02:00", "2026-10-25T02:10+02:00"),
        ("02:10-02:50", "2026-10-25T02:10+01:00", "2026-10-26T02:10+01:00"),
        ("02:10-04:00", "2026-10-25T02:05+01:00", "2026-10-25T02:05+01:00"),
    ],
)
def test_a_window_opens_by_the_clocks_of_the_zone(window: str, now: str, opening: str) -> None:
    assert parse_window(window).next_opening(utc(now), BRUSSELS) == utc(opening)
    assert parse_window(window).is_open(utc(now), BRUSSELS) == (now == opening)


def test_a_day_that_a_zone_skips_has_no_window() -> None:
    # In Apia Thursday 29 December 2011 was followed by Saturday 31 December.
    thursday_evening, saturday = utc("2011-12-29T20:00-10:00"), utc("2011-12-31T00:00+14:00")
    assert parse_window("08:00-20:00").next_opening(thursday_evening, APIA) == utc("2011-12-31T08:00+14:00")
    assert parse_window("fri 08:00-20:00").next_opening(thursday_evening, APIA) == utc("2012-01-06T08:00+14:00")
    assert parse_window("fri 22:00-06:00").next_opening(thursday_evening, APIA) == utc("2012-01-06T22:00+14:00")
    assert not parse_window("thu,fri 22:00-06:00").is_open(saturday, APIA)


@settings(deadline=None)
@given(windows, moments, zones)
def test_the_next_opening_is_open_and_nothing_before_it_is(window: Window, now: datetime, zone: str) -> None:
    there = ZoneInfo(zone)
    opening = window.next_opening(now, there)
    assert opening >= now
    assert window.is_open(opening, there)
    assert window.is_open(now, there) == (opening == now)
    if opening > now:
        between = now + (opening - now) / 2
        assert not window.is_open(between, there)
        assert window.next_opening(between, there) == opening
        assert not window.is_open(opening - timedelta(microseconds=1), there)


@settings(deadline=None)
@given(windows, moments, zones)
def test_away_from_changes_of_clocks_a_window_is_open_when_they_show_its_hours(
    window: Window, now: datetime, zone: str
) -> None:
    there = ZoneInfo(zone)
    local = now.astimezone(there)
    if len({(now + days * DAY).astimezone(there).utcoffset() for days in (-2, -1, 0, 1, 2)}) > 1:
        return
    yesterday = (local.weekday() - 1) % 7
    if window.start < window.end:
        shows = local.weekday() in window.days and window.start <= local.time() < window.end
    else:
        shows = (local.weekday() in window.days and local.time() >= window.start) or (
            yesterday in window.days and local.time() < window.end
        )
    assert window.is_open(now, there) == shows


# At the same time of day everywhere


@pytest.mark.parametrize(
    ("day", "at", "zone", "moment"),
    [
        ("2026-03-13", "08:00", BRUSSELS, "2026-03-13T08:00+01:00"),
        ("2026-07-13", "08:00", NEW_YORK, "2026-07-13T08:00-04:00"),
        ("2026-07-13", "08:00", KATHMANDU, "2026-07-13T08:00+05:45"),
        ("2026-03-29", "02:30", BRUSSELS, "2026-03-29T03:00+02:00"),
        ("2026-10-25", "02:30", BRUSSELS, "2026-10-25T02:30+02:00"),
        ("2026-10-25", "03:00", BRUSSELS, "2026-10-25T03:00+01:00"),
        ("2026-10-04", "02:00", LORD_HOWE, "2026-10-04T02:30+11:00"),
        ("2026-10-04", "02:29", LORD_HOWE, "2026-10-04T02:30+11:00"),
        ("2026-04-05", "01:30", LORD_HOWE, "2026-04-05T01:30+11:00"),
        ("2026-04-05", "02:00", LORD_HOWE, "2026-04-05T02:00+10:30"),
        ("2011-12-29", "23:59", APIA, "2011-12-29T23:59-10:00"),
        ("2011-12-30", "08:00", APIA, "2011-12-31T00:00+14:00"),
        ("2011-12-31", "08:00", APIA, "2011-12-31T08:00+14:00"),
    ],
)
def test_a_skipped_time_moves_to_the_end_of_the_gap_and_of_two_the_first_is_taken(
    day: str, at: str, zone: ZoneInfo, moment: str
) -> None:
    assert local_moment(date.fromisoformat(day), time.fromisoformat(at), zone) == utc(moment)


@settings(deadline=None)
@given(st.dates(date(2008, 1, 1), date(2030, 1, 1)), minutes, zones)
def test_a_local_moment_shows_its_time_or_is_the_first_after_a_gap(day: date, at: time, zone: str) -> None:
    there = ZoneInfo(zone)
    moment = local_moment(day, at, there)
    wanted, shown = datetime.combine(day, at), moment.astimezone(there).replace(tzinfo=None)
    just_before = (moment - timedelta(microseconds=1)).astimezone(there).replace(tzinfo=None)
    assert just_before < wanted <= shown


def test_each_zone_has_its_own_morning() -> None:
    names = ["Europe/Brussels", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Europe/Brussels"]
    assert cohorts(utc("2026-03-13T08:00+01:00"), time(8), names, BRUSSELS) == {
        "Europe/Brussels": utc("2026-03-13T08:00+01:00"),
        "America/New_York": utc("2026-03-13T08:00-04:00"),
        # It was eight there before it was in Brussels.
        "Asia/Kathmandu": utc("2026-03-14T08:00+05:45"),
        "Pacific/Apia": utc("2026-03-14T08:00+13:00"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "Europe",
        "europe/brussels",
        "Europe/Atlantis",
        "../../etc/passwd",
        "/etc/passwd",
        "a\0b",
        "zone.tab",
        "é",
        "x" * 5000,
        "\ud800",
        "Europe/../Europe/Paris",
        ".",
    ],
)
def test_a_zone_that_is_none_goes_with_the_fallback(name: str) -> None:
    assert cohorts(NOW, time(8), [name], KATHMANDU) == {name: utc("2026-03-14T08:00+05:45")}


def test_a_cohort_waits_until_a_day_that_its_zone_skips_is_over() -> None:
    due = utc("2011-12-29T08:01-10:00")
    assert cohorts(due, time(8), ["Pacific/Apia"], BRUSSELS) == {"Pacific/Apia": utc("2011-12-31T08:00+14:00")}


@pytest.mark.parametrize(
    ("due", "moment"),
    [
        ("2026-03-29T01:59+01:00", "2026-03-29T03:00+02:00"),
        ("2026-03-29T03:00+02:00", "2026-03-29T03:00+02:00"),
        ("2026-03-29T03:01+02:00", "2026-03-30T02:30+02:00"),
        ("2026-10-25T02:30+02:00", "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:31+02:00", "2026-10-26T02:30+01:00"),
    ],
)
def test_a_cohort_has_one_moment_a_day_though_clocks_skip_it_or_show_it_twice(due: str, moment: str) -> None:
    assert cohorts(utc(due), time(2, 30), ["Europe/Brussels"], KATHMANDU) == {"Europe/Brussels": utc(moment)}


@settings(deadline=None)
@given(moments, minutes, st.lists(zones | st.text(max_size=20), max_size=8), zones)
def test_every_name_has_a_moment_within_a_day_or_so(due: datetime, at: time, names: list[str], fallback: str) -> None:
    found = cohorts(due, at, names, ZoneInfo(fallback))
    assert found.keys() == set(names)
    for moment in found.values():
        # A day is an hour longer when clocks are set back.
        assert due <= moment <= due + DAY + timedelta(hours=1)


@settings(deadline=None)
@given(moments, minutes, zones)
def test_no_cohorts_moment_lies_between_due_and_the_one_found(due: datetime, at: time, zone: str) -> None:
    there = ZoneInfo(zone)
    (moment,) = cohorts(due, at, [zone], BRUSSELS).values()
    assert cohorts(moment, at, [zone], BRUSSELS) == {zone: moment}
    around = [local_moment(due.date() + days * DAY, at, there) for days in range(-2, 4)]
    assert moment in around
    assert all(other < due or other >= moment or other.astimezone(there).time() != at for other in around)
