"""docs/benchmarks.md holds the figures that were published last, and says how every peer differs."""

import pytest

from bench.growth.results import read as growth
from bench.growth.table import markdown as growth_tables
from bench.throughput.page import DOCS, PAGE, put
from bench.throughput.peers.catalogue import PEERS
from bench.throughput.results import read
from bench.throughput.table import markdown

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_holds_the_tables_of_the_published_results():
    assert markdown(read(DOCS / "benchmarks.json")) in TEXT, "run `make bench ARGS=--publish`"


def test_the_page_holds_the_tables_of_the_published_growth():
    assert growth_tables(growth(DOCS / "growth.json")).strip() in TEXT, (
        "run `python -m bench.growth --publish`"
    )


@pytest.mark.parametrize("peer", [peer for peer in PEERS if not peer.writes_as])
def test_the_page_says_how_each_peer_differs(peer):
    assert f"\n| {peer.title.partition(' (')[0].partition(':')[0]} |" in TEXT


def test_only_what_stands_between_the_marks_is_replaced():
    page = "before <!-- cost -->\nold\n<!-- /cost --> after"
    assert put(page, "cost", "new\n") == "before <!-- cost -->\n\nnew\n\n<!-- /cost --> after"
    assert put(put(page, "cost", "new"), "cost", "new") == put(page, "cost", "new")


def test_a_page_without_the_marks_is_refused():
    with pytest.raises(ValueError, match="has no <!-- cost -->"):
        put("nothing here", "cost", "new")
