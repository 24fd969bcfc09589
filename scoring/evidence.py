"""Evidence: what the standing observations of an incident add up to, whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from scoring.incident import Incident
from scoring.item import UNKNOWN, Counted
from scoring.platform_sum import PlatformSum
from scoring.rates import add_item, recount_items, remove_item

MOST_FIGURES: Final = 64
"""Distinct figures kept for an incident, the first by name, so that the order of arrival is of no matter.

The cheapest tier reaches the cap of the factor long before that.
"""

# What came of a change: the whole of the evidence, or nothing but amounts (interactions, audience and stances of an
# item that stays where it is); or an extreme was taken away, or a figure's place, and all is to be recounted.
CHANGED: Final = 0
GROWN: Final = 1
FIGURES_LOST: Final = 2
EXTREME_LOST: Final = 3


def change(
    incident: Incident,
    old: Counted | None,
    new: Counted,
    horizons_h: Sequence[float],
    mainstream: Sequence[str],
) -> int:
    """Put `new` in the place of `old` (None: the item is new) in the incident's sums; say what came of it. O(1).

    What is lost then is to be found again by `recount`. `mainstream` are the platforms whose first coverage is kept
    beside the first of all.
    """
    was = old is not None and not old.retracted
    now = not new.retracted
    if was and now and old is not None and old.at == new.at and old.platform == new.platform:
        if _change_counts(incident, old, new):
            return FIGURES_LOST
        return GROWN if old.figures == new.figures else CHANGED
    lost = False
    if was and old is not None:
        extremes = (incident.first_seen, incident.last_seen, incident.mainstream_first)
        lost = _remove(incident, old) or old.at in extremes
        remove_item(incident, old.at, horizons_h)
    if now:
        _add(incident, new)
        add_item(incident, new.at, horizons_h)
        incident.first_seen = min(incident.first_seen, new.at) if incident.items > 1 or was else new.at
        incident.last_seen = max(incident.last_seen, new.at) if incident.items > 1 or was else new.at
        if new.platform in mainstream:
            incident.mainstream_first = min(incident.mainstream_first or new.at, new.at)
    return EXTREME_LOST if lost else CHANGED


def recount(
    incident: Incident,
    lost: int,
    horizons_h: Sequence[float],
    mainstream: Sequence[str],
    counted: Iterable[Counted],
) -> None:
    """Find again what a change has `lost`, from everything that is counted of the incident. O(items), rare."""
    standing = [each for each in counted if not each.retracted]
    _rebuild(incident, mainstream, standing)
    if lost == EXTREME_LOST:
        recount_items(incident, sorted(each.at for each in standing), horizons_h)


def _change_counts(incident: Incident, old: Counted, new: Counted) -> bool:
    """The common case: the same item has grown. Say whether a figure left out may now have its place."""
    sums = incident.platforms[new.platform]
    sums.interactions += new.interactions - old.interactions
    _count_audience(sums, old, -1)
    _count_audience(sums, new, 1)
    incident.critic += new.critic - old.critic
    incident.defender += new.defender - old.defender
    if old.figures == new.figures:
        return False
    vacated = _drop_figures(incident, old.figures)
    _note_figures(incident, new.figures)
    return vacated


def _add(incident: Incident, new: Counted) -> None:
    incident.items += 1
    sums = incident.platforms.get(new.platform)
    if sums is None:
        sums = incident.platforms[new.platform] = PlatformSum()
    sums.items += 1
    sums.interactions += new.interactions
    _count_audience(sums, new, 1)
    incident.critic += new.critic
    incident.defender += new.defender
    _note_figures(incident, new.figures)


def _remove(incident: Incident, old: Counted) -> bool:
    """Take `old` out of the sums. Say whether a figure left out may now have its place."""
    incident.items -= 1
    sums = incident.platforms[old.platform]
    sums.items -= 1
    sums.interactions -= old.interactions
    _count_audience(sums, old, -1)
    if not sums.items:
        del incident.platforms[old.platform]
    incident.critic -= old.critic
    incident.defender -= old.defender
    return _drop_figures(incident, old.figures)


def _count_audience(sums: PlatformSum, counted: Counted, sign: int) -> None:
    if counted.audience == UNKNOWN:
        sums.without_audience += sign * counted.interactions
    else:
        sums.audience += sign * counted.audience


def _note_figures(incident: Incident, figures: tuple[str, ...]) -> None:
    kept = incident.figures
    for figure in figures:
        if figure in kept:
            kept[figure] += 1
        elif len(kept) < MOST_FIGURES:
            kept[figure] = 1
        elif figure < (last := max(kept)):
            incident.figures_left_out += kept.pop(last)
            kept[figure] = 1
        else:
            incident.figures_left_out += 1


def _drop_figures(incident: Incident, figures: tuple[str, ...]) -> bool:
    """Say whether one that was kept has gone while others are left out: the sums do not know which comes next."""
    vacated = False
    for figure in figures:
        mentions = incident.figures.get(figure, 0)
        if mentions > 1:
            incident.figures[figure] = mentions - 1
        elif mentions == 1:
            del incident.figures[figure]
            vacated = vacated or incident.figures_left_out > 0
        else:
            incident.figures_left_out -= 1
    return vacated


def _rebuild(incident: Incident, mainstream: Sequence[str], standing: Sequence[Counted]) -> None:
    """Recount what a sum cannot give back: first and last coverage, and the figures left out. O(items), rare."""
    incident.figures = {}
    incident.figures_left_out = 0
    for each in standing:
        _note_figures(incident, each.figures)
    incident.figures = dict(
        sorted(incident.figures.items())
    )  # the same bytes, whatever order the rows came in
    incident.first_seen = min((each.at for each in standing), default=0.0)
    incident.last_seen = max((each.at for each in standing), default=0.0)
    incident.mainstream_first = min(
        (each.at for each in standing if each.platform in mainstream), default=0.0
    )


def clear(incident: Incident) -> None:
    """Take everything out of the sums. First and last coverage stay: without items they weigh nothing."""
    incident.items = incident.critic = incident.defender = incident.figures_left_out = 0
    incident.platforms, incident.figures = {}, {}
    incident.counts = [0.0] * len(incident.counts)
    incident.mainstream_first = 0.0


def restore(
    incident: Incident, horizons_h: Sequence[float], mainstream: Sequence[str], counted: Iterable[Counted]
) -> None:
    """Put everything back into sums that were cleared. O(items), rare."""
    standing = sorted((each for each in counted if not each.retracted), key=Counted.stored)
    for each in standing:
        _add(incident, each)
    _rebuild(incident, mainstream, standing)
    recount_items(incident, sorted(each.at for each in standing), horizons_h)
