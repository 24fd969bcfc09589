"""What each kind of channel sends, and what an answer means."""

import re
import time
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SettingsError
from schemas.times import format_time, parse_time
from stream.alerts.alertmanager import AlertmanagerSender, postable
from stream.alerts.answers import LONGEST_RETRY_AFTER_S, Outcome, answer_of, pause_s, retry_after_s
from stream.alerts.channels import AlertmanagerChannel, AppriseChannel, WebhookChannel
from stream.alerts.notices import Alert, Notice
from stream.alerts.services import ServiceSender
from stream.alerts.signature import signed
from stream.alerts.webhook import WebhookSender, request_of
from stream.settings_source import Secret
from tests.alerting import changed, desk, rule, scored, told_until
from tests.builders import hours
from tests.receiver import Receiver

PAGE = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def notices(incident="leak", **fields):
    at = desk(rule(**fields))
    at.hear(scored(incident), hours(0))
    return at.hear(changed(incident), hours(0)) + told_until(at, 1000)


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as opened:
        yield opened


@pytest.fixture
async def receiver():
    async with Receiver() as listening:
        yield listening


def documented():
    """The function by which the documentation verifies signatures."""
    [source] = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    names = {}
    exec(source, names)
    return names["verified"]


# -- webhooks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["structured", "binary"])
@pytest.mark.parametrize("secret", [SECRET, "a plain text"])
async def test_a_webhook_is_a_cloud_event_that_the_documented_code_verifies(session, receiver, mode, secret):
    [notice] = notices("fuß/4")
    channel = WebhookChannel("hook", receiver.url, secret=Secret(secret), mode=mode)
    answer = await WebhookSender(channel, session).send(notice)
    assert answer.outcome is Outcome.TAKEN
    [posted] = receiver.posted
    assert documented()(secret, posted.headers, posted.body)
    assert not documented()(secret, posted.headers, posted.body + b" ")
    assert not documented()("another", posted.headers, posted.body)
    old = posted.headers | {"webhook-timestamp": str(int(time.time()) - 301)}
    assert not documented()(secret, old, posted.body)
    content = posted.said["data"] if mode == "structured" else posted.said
    assert content == msgspec.json.decode(msgspec.json.encode(notice))


async def test_in_structured_mode_all_attributes_are_in_the_body(session, receiver):
    [notice] = notices()
    await WebhookSender(WebhookChannel("hook", receiver.url), session).send(notice)
    [posted] = receiver.posted
    assert posted.headers["content-type"] == "application/cloudevents+json"
    assert {name: value for name, value in posted.said.items() if name != "data"} == {
        "specversion": "1.0",
        "id": notice.id,
        "source": "/decibel/alerts",
        "type": "decibel.alert.told.v1",
        "time": format_time(hours(0)),
        "subject": "leak",
        "datacontenttype": "application/json",
    }
    assert "webhook-signature" not in posted.headers


async def test_in_binary_mode_they_are_headers_whatever_an_id_holds(session, receiver):
    [notice] = notices('fuß "4"\r\nX: y')
    channel = WebhookChannel("hook", receiver.url, mode="binary", secret=Secret(SECRET))
    await WebhookSender(channel, session).send(notice)
    [posted] = receiver.posted
    assert posted.headers["ce-subject"] == "fu%C3%9F%20%224%22%0D%0AX:%20y"
    assert posted.headers["ce-type"] == "decibel.alert.told.v1"
    assert "x" not in posted.headers


def test_the_documentation_names_every_field_of_a_notice():
    for field in (*Notice.__struct_encode_fields__, *Alert.__struct_encode_fields__):
        assert re.search(rf"`{field}`", PAGE.split("Its data:")[1].split("## Signatures")[0]), field


def test_the_same_notice_always_has_the_same_body():
    channel = WebhookChannel("hook", "http://x")
    assert request_of(channel, notices()[0]) == request_of(channel, notices()[0])


@given(
    st.binary(), st.text(alphabet=st.characters(codec="ascii", exclude_characters=".")), st.integers(0, 2**33)
)
def test_another_secret_id_time_or_body_is_another_signature(body, ident, at):
    def signature(secret=SECRET, ident=ident, at=at, body=body):
        return signed(secret, ident, at, body)["webhook-signature"]

    others = {
        signature(secret="other"),
        signature(ident=ident + "x"),
        signature(at=at + 1),
        signature(body=body + b"x"),
    }
    assert signature() not in others


# -- Alertmanager -------------------------------------------------------------------------------------------


def test_an_alert_that_lasts_ends_unless_it_is_sent_again_and_one_that_does_not_after_its_time():
    channel = AlertmanagerChannel("duty", "http://x", resend="30s", lasts="2h", labels={"team": "news"})
    lasting, over = notices(resolve={"after": "3h"})
    [moment] = notices()
    late = hours(5)
    assert postable(lasting, channel, late).ends_at == format_time(late + 120.0)
    assert postable(moment, channel, late).ends_at == format_time(late + 7200.0)
    assert postable(over, channel, late).ends_at == format_time(hours(3))
    assert postable(over, channel, late).labels == postable(lasting, channel, 0.0).labels
    assert postable(lasting, channel, late).labels["team"] == "news"
    assert postable(lasting, channel, late).starts_at == format_time(hours(0))
    assert postable(lasting, channel, late).annotations["event_id"] == "leak/1/state/Major Controversy"


async def test_alertmanager_is_told_under_its_path_with_its_token(session, receiver):
    channel = AlertmanagerChannel("duty", f"{receiver.url}/am/", token=Secret("hush"))
    answer = await AlertmanagerSender(channel, session).send(notices()[0])
    assert answer.outcome is Outcome.TAKEN
    [posted] = receiver.posted
    assert (posted.path, posted.headers["authorization"]) == ("/am/api/v2/alerts", "Bearer hush")
    assert set(posted.said[0]) == {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}


# -- services -----------------------------------------------------------------------------------------------


async def test_a_service_gets_title_and_text_by_apprise(receiver):
    channel = AppriseChannel("newsroom", Secret(f"json://127.0.0.1:{receiver.port}/room"))
    answer = await ServiceSender(channel).send(notices("@channel")[0])
    assert answer.outcome is Outcome.TAKEN
    [posted] = receiver.posted
    assert posted.said["title"] == "@\u200bchannel: now Major Controversy (was Debated)"
    assert posted.said["message"].endswith("https://decibel.example/incident/%40channel")
    assert posted.said["type"] == "warning"


async def test_a_service_that_does_not_take_it_is_away_and_its_url_is_not_told(receiver):
    receiver.answer = lambda _: web.Response(status=500)
    channel = AppriseChannel("newsroom", Secret(f"json://user:hush@127.0.0.1:{receiver.port}/"))
    answer = await ServiceSender(channel).send(notices()[0])
    assert answer.outcome is Outcome.AWAY
    assert "hush" not in answer.detail


def test_a_service_that_apprise_does_not_know_is_an_error_without_its_url():
    with pytest.raises(
        SettingsError, match="channel 'newsroom': url: apprise knows no such service"
    ) as raised:
        ServiceSender(AppriseChannel("newsroom", Secret("pigeon://hush")))
    assert "hush" not in str(raised.value)


# -- answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "taken"),
        (204, "taken"),
        (301, "away"),
        (400, "refused"),
        (401, "away"),
        (404, "away"),
        (413, "refused"),
        (422, "refused"),
        (429, "away"),
        (500, "failed"),
        (503, "away"),
    ],
)
async def test_an_answer_means_what_the_documentation_says(session, receiver, status, outcome):
    receiver.answer = lambda _: web.Response(status=status, text="why", headers={"Location": "/elsewhere"})
    answer = await WebhookSender(WebhookChannel("hook", f"{receiver.url}/here"), session).send(notices()[0])
    assert answer.outcome == outcome
    assert [posted.path for posted in receiver.posted] == ["/here"], "no redirect is followed"
    shown = f"HTTP {status}" if outcome == "taken" or status == 204 else f"HTTP {status}: why"
    assert answer.detail == shown


async def test_nobody_there_and_no_answer_in_time_are_away_without_the_url(receiver):
    channel = WebhookChannel("hook", f"{receiver.url}/hush")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.05)) as hasty:
        receiver.silent = True
        late = await WebhookSender(channel, hasty).send(notices()[0])
        await receiver.down()
        gone = await WebhookSender(channel, hasty).send(notices()[0])
    assert (late.outcome, late.detail) == (Outcome.AWAY, "no answer in time")
    assert gone.outcome is Outcome.AWAY
    assert "hush" not in gone.detail


@given(st.text() | st.integers(-10, 10**9).map(str))
def test_a_pause_that_is_asked_for_is_bounded_whatever_the_header_says(text):
    assert 0.0 <= retry_after_s(text, 1e9) <= LONGEST_RETRY_AFTER_S


def test_a_pause_may_be_asked_for_by_a_date():
    now = parse_time("2026-06-24T10:00:00Z")
    answer = answer_of(503, {"Retry-After": "Wed, 24 Jun 2026 10:05:00 GMT"}, "", now)
    assert answer.retry_after_s == 300.0


@given(st.integers(1, 10**6), st.floats(0.0, 1.0))
def test_pauses_grow_up_to_the_longest_and_keep_half_of_it_to_chance(failures, chance):
    pause = pause_s(failures, 0.5, 60.0, chance)
    whole = min(60.0, 0.5 * 2.0 ** min(failures - 1, 50))
    assert whole / 2 <= pause <= whole
