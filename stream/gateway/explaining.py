"""Why an incident is as loud as it is now, told from its latest score alone: `decibel explain` has the records too."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict

from schemas.noise_score import Factors, NoiseScore
from schemas.times import HOUR_S, from_epoch, to_epoch
from schemas.words import Shift, Trend
from scoring.chronicle import move_of
from scoring.decay import decay
from scoring.lead import told as lead_told
from scoring.levels import level_of, shown
from scoring.policy import Policy
from scoring.reasons import LABELS, moved, span, when
from stream.gateway.bodies import Explanation, Factor
from stream.gateway.standings import title_of, verdict
from stream.view.answers import Standing

SCORE = msgspec.json.Decoder(NoiseScore)


def explanation(standing: Standing, policy: Policy, at: float) -> Explanation:
    """Return the explanation of an incident at `at` (epoch seconds), for which `standing` tells its noise.

    Weights are those of the policy that runs; a score made under another one adds up by its own contributions.
    """
    score = SCORE.decode(standing.score)
    left = decay(at - to_epoch(score.anchor), score.half_life)
    factors = _factors(score, policy, left)
    return Explanation(
        from_epoch(at),
        score.incident_id,
        title_of(score.incident_id, standing.profile),
        standing.noise,
        shown(standing.noise),
        level_of(standing.noise, policy),
        verdict(standing.score, standing.noise, policy),
        _story(score, factors, left, at),
        score.composite,
        left,
        score.half_life,
        factors,
        score.change,
        _change_told(score, at),
    )


def _factors(score: NoiseScore, policy: Policy, left: float) -> tuple[Factor, ...]:
    """The seven factors. What each gives to the noise follows the curve, so that they add up to it at any time."""
    told, weights = asdict(score.contributions), asdict(policy.weights)
    values: Factors = score.factors
    composite = {name: points / score.decay if score.decay else 0.0 for name, points in told.items()}
    return tuple(
        Factor(name, LABELS[name], value, weights[name], composite[name], composite[name] * left)
        for name, value in asdict(values).items()
    )


def _story(score: NoiseScore, factors: tuple[Factor, ...], left: float, at: float) -> tuple[str, ...]:
    """What carries the noise and moved it, how fresh and sure it is, its state and trend, its peak, what is next."""
    if score.merged_into is not None:
        return (f"It was merged into {score.merged_into}: its items count there.",)
    told = (
        _carried_by(score, factors),
        _change_told(score, at),
        _freshness(score, left, at),
        _doubt(score),
        _lead(score),
        _split(score),
        f"Its state is {score.state.value}, its trend {score.trend.value.lower()}"
        + ("." if score.trend is not Trend.STEADY else ": neither rising nor falling."),
        _peak(score, at),
        _next(score, at),
    )
    return tuple(sentence for sentence in told if sentence)


def _carried_by(score: NoiseScore, factors: tuple[Factor, ...]) -> str:
    if not score.composite:
        return "Everything about it has been retracted: it makes no noise."
    first, second = sorted(factors, key=lambda factor: -factor.composite_points)[:2]
    share, next_share = (100 * factor.composite_points / score.composite for factor in (first, second))
    return (
        f"{first.label} carries more of the noise than any other factor, {share:.0f} % "
        f"({first.value:.0f} of 100); {second.label.lower()} follows with {next_share:.0f} %."
    )


def _change_told(score: NoiseScore, at: float) -> str:
    move = move_of(score)
    if move is None:
        return ""
    ago = span(max(0.0, at - to_epoch(score.as_of)))
    return f"It was last moved {ago} ago, by {moved(move)}."


def _freshness(score: NoiseScore, left: float, at: float) -> str:
    if not score.items:
        return ""
    ago, share = span(max(0.0, at - to_epoch(score.anchor))), f"{100 * left:.0f} %"
    remains = "all" if share == "100 %" else share
    return (
        f"New coverage came last {ago} ago, so {remains} of the composite of {score.composite:.2f} is left."
    )


def _doubt(score: NoiseScore) -> str:
    if not score.audience_estimated:
        return ""
    return f"{100 * score.audience_estimated:.0f} % of the audience is an estimate from interactions."


def _lead(score: NoiseScore) -> str:
    if not score.items:
        return ""
    said = lead_told(score.lead_time)
    return f"It was {said}." if score.lead_time else f"{said[0].upper()}{said[1:]}."


def _split(score: NoiseScore) -> str:
    if score.polarity.shift is Shift.HELD:
        return ""
    word = score.polarity.shift.value
    return f"Among those who take a side, {word}: polarity is {score.polarity.value:.0f}."


def _peak(score: NoiseScore, at: float) -> str:
    since = at - to_epoch(score.peak.at)
    if since < HOUR_S:
        return "It has not been louder before."
    return f"It was loudest, at {shown(score.peak.noise)}, {span(since)} ago."


def _next(score: NoiseScore, at: float) -> str:
    """What comes by itself; a deadline in the past is about to be told by the workers."""
    if score.next_deadline is None:
        return "Without new coverage nothing about it will change but the noise, which fades."
    due = to_epoch(score.next_deadline)
    if due <= at:
        return ""
    return f"Without new coverage nothing but the noise changes before {when(due)}."
