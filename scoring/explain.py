"""Why an incident is as loud as it is: its score and every figure behind it, from its row and the policy."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from schemas.incident_profile import IncidentProfile
from schemas.noise_score import Forecast, LastItem, Peak, Polarity
from schemas.state_change import StateChange
from schemas.times import HOUR_S, Moment, from_epoch
from schemas.words import Activity, Category, Shift, State, Trend
from scoring import activity, factors, polarity, reasons
from scoring.chronicle import Chronicle, Move
from scoring.curve import slope_per_hour
from scoring.decay import decay
from scoring.forecast import forecast
from scoring.incident import Incident
from scoring.lead import lead_time_s
from scoring.lead import told as lead_told
from scoring.levels import level_of, shown
from scoring.policy import Policy
from scoring.trend import multiple
from scoring.upcoming import Upcoming, upcoming
from scoring.verdict import verdict

LABELS: Final = reasons.LABELS
"""The factors as readers know them."""


class FactorLine(Struct, frozen=True):
    """One factor: `value` (0 to 100) by `weight` is what it adds to the composite; by decay, to the noise."""

    name: str
    value: float
    weight: float
    composite_points: float
    noise_points: float
    because: str


class StateLine(Struct, frozen=True):
    """The state, since when, and what met the rule; reason and evidence are empty where that is not known."""

    state: State
    since: Moment
    reason: str
    evidence: dict[str, float]


class TrendLine(Struct, frozen=True):
    """The trend: items per hour by horizon, and what the event `trend-updates` says of them."""

    trend: Trend
    rates: dict[str, float]
    ratio: float
    multiple: float
    spike: float
    slope: float
    because: str
    activity: Activity
    activity_since: Moment


class PastLine(Struct, frozen=True):
    """Noise and polarity (0 to 100 each) as they were told at `at`."""

    at: Moment
    noise: float
    polarity: float


class Explanation(Struct, frozen=True):
    """An incident at `at`. `noise` is `composite * decay`; the lines' points add up to either.

    `age_h` is the time since the last new coverage, `half_life_h` that in which the noise halves (hours).
    `story` tells it in sentences, `next` what comes by itself if nothing new does, `forecast`
    what the noise will be. `last_move` is the last jump of the
    noise, `movers` are the greatest ones, `past` samples it over time. `audience_estimated` is a share (0 to 1);
    `lead_time` in seconds, null as long as mainstream media do not have it.
    """

    incident_id: str
    title: str
    category: Category
    at: Moment
    revision: int
    noise: float
    shown: int
    level: str
    verdict: str
    story: tuple[str, ...]
    factors: tuple[FactorLine, ...]
    composite: float
    decay: float
    age_h: float
    half_life_h: float
    items: int
    platforms: int
    first_seen: Moment
    last_seen: Moment
    state: StateLine
    trend: TrendLine
    peak: Peak
    peak_confirmed: bool
    polarity: Polarity
    polarity_average: float
    last_item: LastItem | None
    next: tuple[Upcoming, ...]
    audience_estimated: float
    lead_time: float | None
    last_move: Move | None
    movers: tuple[Move, ...]
    past: tuple[PastLine, ...]
    forecast: tuple[Forecast, ...]


def explain(
    incident_id: str,
    incident: Incident,
    policy: Policy,
    at: float,
    *,
    profile: IncidentProfile | None = None,
    chronicle: Chronicle | None = None,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> Explanation:
    """Return the explanation of a detected incident at `at` (epoch seconds), all deadlines until then fired.

    `profile` gives its title and how names are written, `chronicle` why it is in its state and what moved it, `titles`
    those of its items by their ids.
    """
    chronicle = chronicle or Chronicle(policy)
    change = chronicle.step
    half_life_s = policy.curve.half_life_s
    left = decay(at - incident.last_seen, half_life_s)
    noise = incident.composite * left
    lines = factor_lines(incident, policy, left, profile)
    ahead = upcoming(incident, policy, at)
    peak = Peak(incident.peak_noise, from_epoch(incident.peak_at))
    return Explanation(
        incident_id=incident_id,
        title=profile.title if profile else "",
        category=incident.category,
        at=from_epoch(at),
        revision=incident.revision,
        noise=noise,
        shown=shown(noise),
        level=level_of(noise, policy),
        verdict=verdict(incident, policy, noise, peak.at),
        story=story(incident, policy, at, lines, chronicle, ahead),
        factors=lines,
        composite=incident.composite,
        decay=left,
        age_h=(at - incident.last_seen) / HOUR_S,
        half_life_h=policy.curve.half_life_h,
        items=incident.items,
        platforms=len(incident.platforms),
        first_seen=from_epoch(incident.first_seen),
        last_seen=from_epoch(incident.last_seen),
        state=_state(incident, change),
        trend=_trend(incident, policy, at),
        peak=peak,
        peak_confirmed=incident.peaked,
        polarity=Polarity(incident.polarity, polarity.shift(incident, policy, at)),
        polarity_average=incident.polarity - polarity.moved(incident, policy, at),
        last_item=LastItem(incident.last_item, incident.last_platform, incident.last_points)
        if incident.last_item
        else None,
        next=ahead,
        audience_estimated=factors.audience(incident, policy).estimated_share,
        lead_time=lead_time_s(incident),
        last_move=chronicle.last and _titled(chronicle.last, titles),
        movers=tuple(_titled(move, titles) for move in chronicle.greatest),
        past=tuple(
            PastLine(from_epoch(each.at), each.noise, each.polarity) for each in chronicle.history.samples
        ),
        forecast=forecast(incident, policy, at),
    )


def _titled(move: Move, titles: Mapping[str, str]) -> Move:
    return replace(move, title=titles.get(move.item_id, ""))


def factor_lines(
    incident: Incident, policy: Policy, left: float, profile: IncidentProfile | None
) -> tuple[FactorLine, ...]:
    """Return the seven factors of an incident of whose composite the share `left` (0 to 1) is left."""
    values = factors.factors(incident, policy).told()
    counted = 1.0 if incident.items else 0.0
    points = factors.weighted(values, policy.weights, counted)
    now = factors.weighted(values, policy.weights, counted * left)
    names = {party.name.casefold(): party.name for party in profile.parties} if profile else {}
    why = reasons.because(incident, policy, names)
    return tuple(
        FactorLine(
            name,
            value,
            getattr(policy.weights, name),
            getattr(points, name),
            getattr(now, name),
            why[name],
        )
        for name, value in asdict(values).items()
    )


def story(
    incident: Incident,
    policy: Policy,
    at: float,
    lines: tuple[FactorLine, ...],
    chronicle: Chronicle,
    ahead: tuple[Upcoming, ...],
) -> tuple[str, ...]:
    """Tell in sentences what carries the noise and moved it, how fresh and sure it is, its state, what is next."""
    return tuple(
        filter(
            None,
            (
                _carried_by(incident, lines),
                _moved_last(chronicle.last, at),
                _freshness(incident, policy, at),
                reasons.doubt(incident, policy, at),
                _lead_told(incident),
                _split_told(incident, policy, at),
                _state_told(incident, chronicle.step),
                reasons.volume(incident, policy) if incident.items else "",
                _peak_told(incident, at),
                _next_told(ahead),
            ),
        )
    )


def _carried_by(incident: Incident, lines: tuple[FactorLine, ...]) -> str:
    if not incident.composite:
        return "Everything about it has been retracted: it makes no noise."
    first, second = sorted(lines, key=lambda line: -line.composite_points)[:2]
    share, next_share = (100 * line.composite_points / incident.composite for line in (first, second))
    return (
        f"{LABELS[first.name]} carries more of the noise than any other factor, {share:.0f} % ({first.because}); "
        f"{LABELS[second.name].lower()} follows with {next_share:.0f} %."
    )


def _moved_last(move: Move | None, at: float) -> str:
    if move is None:
        return ""
    ago = reasons.span(max(0.0, at - move.at.timestamp()))
    return f"It was last moved {ago} ago, by {reasons.moved(move)}."


def _lead_told(incident: Incident) -> str:
    if not incident.items:
        return ""
    lead_s = lead_time_s(incident)
    said = lead_told(lead_s)
    return f"It was {said}." if lead_s else f"{said[0].upper()}{said[1:]}."


def _freshness(incident: Incident, policy: Policy, at: float) -> str:
    if not incident.items:
        return ""
    left = f"{100 * decay(at - incident.last_seen, policy.curve.half_life_s):.0f} %"
    ago = reasons.span(max(0.0, at - incident.last_seen))
    composite = f"the composite of {incident.composite:.2f}"
    return (
        f"New coverage came last {ago} ago, so {'all' if left == '100 %' else left} of {composite} is left."
    )


def _split_told(incident: Incident, policy: Policy, at: float) -> str:
    word = polarity.shift(incident, policy, at)
    if word is Shift.HELD:
        return ""
    now = incident.polarity
    late = now - polarity.moved(incident, policy, at)
    return f"Among those who take a side, {word.value}: polarity is {now:.0f}, of late it was {late:.0f} on average."


def _state_told(incident: Incident, change: StateChange | None) -> str:
    why = f": {change.reason}" if change and change.to is incident.state else ""
    return f"It has been {incident.state.value} since {reasons.when(incident.state_since)}{why}."


def _peak_told(incident: Incident, at: float) -> str:
    if at - incident.peak_at < HOUR_S:
        return "It has not been louder before."
    return f"It was loudest, at {shown(incident.peak_noise)}, {reasons.span(at - incident.peak_at)} ago."


def _next_told(ahead: tuple[Upcoming, ...]) -> str:
    if not ahead:
        return "Without new coverage nothing about it will change but the noise, which fades."
    return f"Without new coverage, {ahead[0].what} on {reasons.when(ahead[0].at.timestamp())}."


def _state(incident: Incident, change: StateChange | None) -> StateLine:
    known = change is not None and change.to is incident.state
    return StateLine(
        incident.state,
        from_epoch(incident.state_since),
        change.reason if change and known else "",
        change.evidence if change and known else {},
    )


def _trend(incident: Incident, policy: Policy, at: float) -> TrendLine:
    rates = {h: incident.rate_at(i, h, at) for i, h in enumerate(policy.rates.horizons_h)}
    fast, slow = rates[policy.trend.fast_h], rates[policy.trend.slow_h]
    return TrendLine(
        incident.trend,
        {f"{h:g}h": rate for h, rate in rates.items()},
        fast / slow if slow else 0.0,
        multiple(incident, policy, at),
        activity.score(incident, policy, at),
        slope_per_hour(incident, policy, at),
        reasons.outlook(incident, policy, at),
        incident.activity,
        from_epoch(incident.activity_since or incident.first_seen),
    )
