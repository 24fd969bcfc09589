"""`python -m bench.platforms`: what a typical item of each platform draws, measured on the recordings beside the tree.

Prints the medians beside what the policy says; docs/methodology.md ("Platforms: what is typical") says how they are
defined and what to think of them. A test holds policy and document against the same numbers.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from schemas.codec import decode_item
from schemas.source_item import Engagement, SourceItem
from scoring.policy import EngagementRule, load_policy
from stream.files import read_records

NOTICED: Final = 10.0
"""Interactions from which an item counts: what nobody noticed is no coverage, and only some recordings hold it."""

RECORDED: Final = {
    "hackernews": "frontpage-2021",
    "reddit": "tech-2021",
    "lobsters": "tech-2021",
    "facebook": "world-2016",
}
"""The recording that each platform is measured on."""

SHARED: Final = Path(__file__).parents[2] / "shared" / "data"


class Typical(NamedTuple):
    """The final interactions of a platform's items: quartiles of those noticed, how many these are, and of how many."""

    low: float
    median: float
    high: float
    noticed: int
    items: int


def weighted(seen: Engagement, rule: EngagementRule) -> float:
    """Return the interactions of an item as the engagement factor weighs them."""
    return (
        seen.likes
        + rule.comment_weight * seen.comments
        + rule.share_weight * seen.shares
        + rule.view_weight * seen.views
    )


def typical(observations: Iterable[SourceItem], rule: EngagementRule) -> dict[str, Typical]:
    """Return what is typical of each platform, by the last of the observations of each item, in their order."""
    final: dict[str, dict[str, float]] = defaultdict(dict)
    for item in observations:
        final[item.platform][item.item_id] = weighted(item.engagement, rule)
    found: dict[str, Typical] = {}
    for platform, drawn in final.items():
        noticed = [interactions for interactions in drawn.values() if interactions >= NOTICED]
        if len(noticed) > 1:
            low, median, high = statistics.quantiles(noticed, n=4)
            found[platform] = Typical(low, median, high, len(noticed), len(drawn))
    return found


def main() -> None:
    """Print the table, and fail where the policy says something else than the recordings."""
    policy = load_policy()
    measured: dict[str, Typical] = {}
    for name in sorted(set(RECORDED.values())):
        records = read_records(str(SHARED / name / "items.jsonl.gz"))
        found = typical((decode_item(record.value) for record in records), policy.engagement)
        measured.update((platform, found[platform]) for platform, where in RECORDED.items() if where == name)
    print(f"{'platform':12} {'policy':>8} {'measured':>9} {'quartiles':>16} {'noticed':>8} {'items':>8}")
    for platform, rule in policy.platforms.items():
        if (seen := measured.get(platform)) is None:
            print(f"{platform:12} {rule.typical:8g} {'assumed':>9}")
            continue
        quartiles = f"{seen.low:g} to {seen.high:g}"
        print(
            f"{platform:12} {rule.typical:8g} {seen.median:9g} {quartiles:>16} {seen.noticed:8,} {seen.items:8,}"
        )
    if any(policy.platforms[platform].typical != seen.median for platform, seen in measured.items()):
        sys.exit("the policy says something else than the recordings")


if __name__ == "__main__":
    main()
