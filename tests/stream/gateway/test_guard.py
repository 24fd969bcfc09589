"""Who may read, how often, from where; and what browsers are told they may do with an answer."""

import logging

import pytest
from multidict import CIMultiDict

from stream.gateway.headers import POLICY
from stream.gateway.rates import MOST_BUCKETS, Buckets
from stream.settings import Secret
from tests.gateway import listening, scored, served, streaming

TOKEN, OTHER = "first-token-of-this-test", "other.token~of/this+test=="
PRIVATE = (
    "/api/v1/incidents",
    "/api/v1/incidents/leak",
    "/api/v1/operations",
    "/live",
    "/feed.atom",
    "/badge/leak.svg",
)
PUBLIC = ("/healthz", "/openapi.json")


def guarded(**changes):
    return served(streaming(), *scored("leak"), tokens=Secret(f"{TOKEN}\n{OTHER}"), **changes)


async def test_with_tokens_set_nobody_reads_without_one():
    async with guarded() as gateway:
        for path in PRIVATE:
            for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
                async with gateway.http.get(path, headers=given) as answer:
                    assert answer.status == 401, path
                    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                    assert answer.content_type == "application/problem+json"
        for path in PUBLIC:
            async with gateway.http.get(path) as answer:
                assert answer.status == 200, path


async def test_with_a_token_one_reads():
    async with guarded() as gateway:
        for token in (TOKEN, OTHER):
            given = {"Authorization": f"Bearer {token}"}
            assert (await gateway.json("/api/v1/incidents", headers=given))["incidents"]
            async with listening(gateway, "?after=0-0", **given) as reader:
                assert await reader.next()


async def test_no_token_is_written_to_a_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with guarded() as gateway:
        for given in (f"Bearer {TOKEN}", f"Bearer wrong{TOKEN}"):
            async with gateway.http.get("/api/v1/pulse", headers={"Authorization": given}) as answer:
                assert TOKEN not in await answer.text()
        assert TOKEN not in repr(gateway.settings)
    assert TOKEN not in caplog.text


async def test_who_asks_too_often_is_told_when_to_come_again():
    async with limited(burst=3) as gateway:
        for _ in range(3):
            await gateway.json("/api/v1/pulse")
        async with gateway.http.get("/api/v1/pulse") as answer:
            assert answer.status == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 1000
        for path in PUBLIC:
            async with gateway.http.get(path) as answer:
                assert answer.status == 200, "what tells nothing of incidents is open"


def limited(**changes):
    return served(streaming(), *scored("leak"), rate_per_s=0.001, **changes)


async def test_tokens_have_budgets_of_their_own():
    async with limited(burst=1, tokens=Secret(f"{TOKEN},{OTHER}")) as gateway:
        for token in (TOKEN, OTHER):
            given = {"Authorization": f"Bearer {token}"}
            await gateway.json("/api/v1/pulse", headers=given)
            await gateway.json("/api/v1/pulse", 429, headers=given)


@pytest.mark.parametrize("believed", [True, False])
async def test_behind_a_proxy_clients_are_told_apart_only_where_that_is_set(believed):
    async with limited(burst=1, forwarded=believed) as gateway:
        await gateway.json("/api/v1/pulse", headers={"X-Forwarded-For": "6.6.6.6, 10.0.0.1"})
        await gateway.json("/api/v1/pulse", 200 if believed else 429, headers={"X-Forwarded-For": "10.0.0.2"})
        await gateway.json("/api/v1/pulse", 429, headers={"X-Forwarded-For": "5.5.5.5, 10.0.0.1"})


async def test_an_address_that_a_client_made_up_gives_it_no_budget_of_its_own():
    async with limited(burst=1, forwarded=True) as gateway:
        for number, status in ((1, 200), (2, 429)):
            made_up, real = ("X-Forwarded-For", f"6.6.6.{number}"), ("X-Forwarded-For", "10.0.0.1")
            await gateway.json("/api/v1/pulse", status, headers=CIMultiDict([made_up, real]))


async def test_of_ipv6_a_network_has_one_budget():
    async with limited(burst=1, forwarded=True) as gateway:
        await gateway.json("/api/v1/pulse", headers={"X-Forwarded-For": "2001:db8::1"})
        await gateway.json("/api/v1/pulse", 429, headers={"X-Forwarded-For": "2001:db8::2"})
        await gateway.json("/api/v1/pulse", headers={"X-Forwarded-For": "2001:db8:0:1::1"})


def test_a_budget_fills_up_again_and_no_further_than_it_was():
    buckets = Buckets(2.0, 4)
    assert [buckets.take("a", 0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.0, 0.5]
    assert buckets.take("b", 0.0) == 0.0
    assert buckets.take("a", 0.5) == 0.0
    assert [buckets.take("a", 1000.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.0, 0.5]


def test_no_more_clients_are_remembered_than_set():
    buckets = Buckets(0.001, 1)
    for number in range(MOST_BUCKETS + 1):
        buckets.take(str(number), 0.0)
    assert buckets.take("0", 0.0) == 0.0
    assert buckets.take(str(MOST_BUCKETS), 0.0) > 0.0


async def test_every_answer_says_what_a_browser_may_do():
    async with served(streaming(), *scored("leak")) as gateway:
        for path in ("/api/v1/incidents", "/nowhere", "/live", "/feed.atom", "/openapi.json"):
            async with gateway.http.get(path) as answer:
                assert answer.headers["Content-Security-Policy"] == POLICY, path
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"]
                assert answer.headers["Permissions-Policy"]
        assert "unsafe" not in POLICY
        assert "script-src 'self';" in POLICY
        async with gateway.http.get("/badge/leak.svg") as badge:
            assert badge.headers["Content-Security-Policy"].endswith("sandbox")


async def test_listed_origins_may_read_and_others_not():
    async with served(
        streaming(), *scored("leak"), cors_origins="https://a.example, https://b.example"
    ) as gateway:
        for origin, allowed in (("https://b.example", "https://b.example"), ("https://evil.example", None)):
            async with gateway.http.get("/api/v1/incidents", headers={"Origin": origin}) as answer:
                assert answer.status == 200
                assert answer.headers.get("Access-Control-Allow-Origin") == allowed
                assert "Origin" in answer.headers.getall("Vary")[-1]
        asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        async with gateway.http.options("/api/v1/incidents", headers=asked) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
            assert "Last-Event-ID" in answer.headers["Access-Control-Allow-Headers"]
        async with gateway.http.options(
            "/api/v1/incidents", headers={**asked, "Origin": "https://evil.example"}
        ) as answer:
            assert answer.status == 405
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_any_origin_may_read_where_that_is_set():
    async with served(streaming(), *scored("leak"), cors_origins="*", tokens=Secret(TOKEN)) as gateway:
        asked = {"Origin": "https://c.example", "Access-Control-Request-Method": "GET"}
        async with gateway.http.options("/api/v1/incidents", headers=asked) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
        async with gateway.http.get("/api/v1/incidents", headers={"Origin": "https://c.example"}) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "*")


async def test_what_cannot_be_done_is_refused_with_what_can():
    async with served(streaming()) as gateway:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            async with gateway.http.request(method, "/api/v1/incidents") as answer:
                assert answer.status == 405
                assert "GET" in answer.headers["Allow"]
                assert answer.content_type == "application/problem+json"
