"""From the row of an incident to the events that tell of it. Nothing is decided here."""

from __future__ import annotations

from schemas.cloudevents import Output
from schemas.incident_merged import IncidentMerged
from schemas.noise_score import Change, LastItem, NoiseScore, Peak, Polarity
from schemas.peak_crossing import PeakCrossing
from schemas.state_change import StateChange
from schemas.times import from_epoch
from schemas.topics import INCIDENT_MERGES, NOISE_SCORES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from schemas.trend_update import TrendUpdate
from schemas.words import Activity, PeakKind, State, Trend
from scoring import activity, factors, polarity
from scoring.curve import slope_per_hour
from scoring.decay import NEVER, decay
from scoring.forecast import forecast
from scoring.incident import Incident
from scoring.lead import lead_time_s
from scoring.levels import level_of
from scoring.peaks import Crossing
from scoring.per_factor import PerFactor
from scoring.policy import Policy
from scoring.trend import multiple
from scoring.verdict import verdict


def noise_score(
    incident_id: str, incident: Incident, policy: Policy, values: PerFactor, change: Change, due: float
) -> Output:
    """Return the score of the incident's latest revision.

    What is known of it already is given: its factors, what changed it, its next deadline (epoch seconds, or NEVER).
    """
    at, half_life_s = incident.as_of, policy.curve.half_life_s
    left = decay(at - incident.last_seen, half_life_s)
    noise = incident.composite * left
    # Most of these times are the same: the latest item is new, and the noise has never been higher.
    as_of = from_epoch(at)
    last_seen = as_of if incident.last_seen == at else from_epoch(incident.last_seen)
    first_seen = last_seen if incident.first_seen == incident.last_seen else from_epoch(incident.first_seen)
    peak_at = as_of if incident.peak_at == at else from_epoch(incident.peak_at)
    score = NoiseScore(  # by position, in the order of its fields: this is built most often of all
        incident_id,
        incident.revision,
        as_of,
        noise,
        level_of(noise, policy),
        left,
        incident.composite,
        last_seen,
        half_life_s,
        values.told(),
        values.weighted(policy.derived.weights, left if incident.items else 0.0).told(),
        LastItem(incident.last_item, incident.last_platform, incident.last_points)
        if incident.last_item
        else None,
        Peak(incident.peak_noise, peak_at),
        incident.state,
        incident.trend,
        Polarity(incident.polarity, polarity.shift(incident, policy, at)),
        incident.category,
        incident.items,
        len(incident.platforms),
        factors.audience(incident, policy).estimated_share,
        first_seen,
        last_seen,
        verdict(incident, policy, noise, peak_at),
        change,
        lead_time_s(incident),
        incident.merged_into,
        from_epoch(due) if due < NEVER else None,
        forecast(incident, policy, at),
        _platform_names(incident, policy.limits.platform_names),
    )
    return Output(NOISE_SCORES, incident_id, f"{incident_id}/{incident.revision}/noise", at, score)


def _platform_names(incident: Incident, most: int) -> tuple[str, ...]:
    """The platforms that cover the incident, those with most items first; of as many, by name."""
    if len(incident.platforms) == 1:
        return tuple(incident.platforms)
    ranked = sorted(incident.platforms.items(), key=lambda each: (-each[1].items, each[0]))
    return tuple(name for name, _ in ranked[:most])


def trend_update(
    incident_id: str,
    incident: Incident,
    policy: Policy,
    at: float,
    previous: Trend,
    previous_activity: Activity,
) -> Output:
    """Return the event that the trend or the activity has changed at `at` (epoch seconds)."""
    horizons = policy.rates.horizons_h
    update = TrendUpdate(
        incident_id=incident_id,
        revision=incident.revision,
        at=from_epoch(at),
        trend=incident.trend,
        previous=previous,
        rates={
            name: incident.rate_at(i, horizons[i], at) for i, name in enumerate(policy.derived.horizon_names)
        },
        multiple=multiple(incident, policy, at),
        spike=activity.score(incident, policy, at),
        slope=slope_per_hour(incident, policy, at),
        activity=incident.activity,
        previous_activity=previous_activity,
    )
    return Output(TREND_UPDATES, incident_id, f"{incident_id}/{incident.revision}/trend", at, update)


def state_change(
    incident_id: str,
    incident: Incident,
    policy: Policy,
    at: float,
    previous: State | None,
    to: State,
    reason: str,
    evidence: dict[str, float],
) -> Output:
    """Return the event that the state has changed at `at` (epoch seconds)."""
    change = StateChange(
        incident_id=incident_id,
        revision=incident.revision,
        at=from_epoch(at),
        previous=previous,
        to=to,
        reason=reason,
        evidence=evidence,
        noise=incident.noise_at(at, policy.curve.half_life_s),
    )
    return Output(STATE_CHANGES, incident_id, f"{incident_id}/{incident.revision}/state/{to}", at, change)


def peak_crossing(
    incident_id: str, incident: Incident, policy: Policy, at: float, crossing: Crossing
) -> Output:
    """Return the event that the noise has crossed a peak or a level at `at` (epoch seconds)."""
    event = PeakCrossing(
        incident_id=incident_id,
        revision=incident.revision,
        at=from_epoch(at),
        kind=crossing.kind,
        noise=incident.noise_at(at, policy.curve.half_life_s),
        level=crossing.level,
        peak=Peak(incident.peak_noise, from_epoch(incident.peak_at))
        if crossing.kind is PeakKind.PEAKED
        else None,
    )
    ident = f"{incident_id}/{incident.revision}/{crossing.kind}/{crossing.level}"
    return Output(PEAK_CROSSINGS, incident_id, ident, at, event)


def incident_merged(
    incident_id: str, incident: Incident, into: str, at: float, items: int, *, undone: bool = False
) -> Output:
    """Return the event that an incident was merged into another at `at` (epoch seconds), or that it was undone."""
    event = IncidentMerged(incident_id, into, from_epoch(at), incident.revision, items, undone)
    ident = f"{incident_id}/{incident.revision}/{'unmerged' if undone else 'merged'}"
    return Output(INCIDENT_MERGES, incident_id, ident, at, event)
