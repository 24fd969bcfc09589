"""Pages and assets: each at its address with its type, and nothing of what lies outside of their folder."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from stream.gateway.headers import POLICY, secure
from stream.gateway.pages import PAGES, Pages
from stream.gateway.problems import problems


@pytest.fixture
async def client(tmp_path):
    folder = tmp_path / "pages"
    (folder / "assets" / "inner").mkdir(parents=True)
    for name in PAGES.values():
        (folder / name).write_text(f"<!doctype html><title>{name}</title>")
    (folder / "assets" / "board.js").write_text("export const a = 1;")
    (folder / "assets" / "inner" / "style.css").write_text("body{}")
    (folder / "assets" / "notes.md").write_text("not served")
    (tmp_path / "secret.txt").write_text("secret")
    app = web.Application(middlewares=[problems])
    app.on_response_prepare.append(secure)
    Pages(folder).add_routes(app.router)
    async with TestClient(TestServer(app)) as running:
        yield running


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/", "board.html"),
        ("/incident/leak", "incident.html"),
        ("/incident/a%2F..%2Fb%7B%7D", "incident.html"),
        ("/figure/Ann%20B", "figure.html"),
        ("/methodology", "methodology.html"),
        ("/operations?from=board", "operations.html"),
    ],
)
async def test_each_page_is_at_its_address(client, address, name):
    async with client.get(address) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert name in await answer.text()


async def test_assets_have_their_type_and_are_not_sent_twice(client):
    for path, kind in (("board.js", "text/javascript"), ("inner/style.css", "text/css")):
        async with client.get(f"/assets/{path}") as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            tag = answer.headers["ETag"]
        async with client.get(f"/assets/{path}", headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2Fsecret.txt",
        "..%2f..%2fsecret.txt",
        "inner/../../../secret.txt",
        "%2e%2e/secret.txt",
        "/etc/passwd",
        "%00",
        "notes.md",
        "board.html",
        "..%5csecret.txt",
        "",
    ],
)
async def test_no_address_leads_out_of_the_folder(client, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"GET /assets/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2]


async def test_without_a_folder_there_are_no_pages(tmp_path):
    app = web.Application(middlewares=[problems])
    Pages(tmp_path / "none").add_routes(app.router)
    async with TestClient(TestServer(app)) as running, running.get("/") as answer:
        assert answer.status == 404
