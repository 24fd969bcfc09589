"""The row of one incident: fixed in size whatever it has seen, and all there is to know for its next event."""

from __future__ import annotations

from dataclasses import dataclass, field

from mypy_extensions import mypyc_attr

from schemas.times import HOUR_S
from schemas.words import Activity, Category, State, Tier, Trend
from scoring.decay import LN2, decay
from scoring.platform_sum import PlatformSum
from scoring.spike_state import SpikeState


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class Incident:
    """The state of one incident. Times are epoch seconds in whole milliseconds.

    The first four fields are its stamp: the offsets last applied from either source topic, the revision and its time.
    A row whose stamp is lower is older.
    """

    items_offset: int = -1
    profiles_offset: int = -1
    revision: int = 0
    as_of: float = 0.0

    # evidence: sums of integers over the standing observations, so the order of arrival is of no matter
    items: int = 0
    first_seen: float = 0.0
    last_seen: float = 0.0
    platforms: dict[str, PlatformSum] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)
    figures_left_out: int = 0
    critic: int = 0
    defender: int = 0

    # counts of items, decayed at each horizon, all as of `rates_at`
    rates_at: float = 0.0
    counts: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])

    # from the profile
    category: Category = Category.OTHER
    impact: float | None = None
    parties: dict[str, Tier] = field(default_factory=dict)

    # the curve: noise(t) = composite * 2 ** -((t - last_seen) / half_life)
    composite: float = 0.0

    # averages that the slope and the shift are measured against, as of `averages_at`
    averages_at: float = 0.0
    noise_average: float = 0.0
    polarity: float = 50.0
    split_mean: float = 0.0

    trend: Trend = Trend.STEADY

    # lifecycle: the state, since when, whether the last step was back, and since when each rule's comparison holds
    state: State = State.EMERGING
    state_since: float = 0.0
    stepped_back: bool = False
    holds_since: dict[int, float] = field(default_factory=dict)

    # peaks
    peak_noise: float = 0.0
    peak_at: float = 0.0
    announced: float = 0.0
    peaked: bool = True
    level: int = 0

    # the item whose observation came last
    last_item: str = ""
    last_platform: str = ""
    last_points: float = 0.0

    # for the index: the noise's average over months, as of `averages_at`, and when the incident was detected
    long_average: float = 0.0
    detected_at: float = 0.0
    # evidence too: the first coverage by mainstream media (`lead_time.mainstream`), 0 for none
    mainstream_first: float = 0.0
    # since when the trend has its word, and when the last new peak was told
    trend_since: float = 0.0
    announced_at: float = 0.0
    # the incident that this one was merged into; its own items move there, and those yet to come are sent on
    merged_into: str | None = None

    # when somebody first took a side, 0 for nobody: from then on the mean of the split counts
    reaction_since: float = 0.0
    # volume against its own usual level, and what it does since when
    spike: SpikeState = field(default_factory=SpikeState)
    activity: Activity = Activity.NORMAL
    activity_since: float = 0.0

    # the next deadline as last told, and the policy it follows from (`Policy.fingerprint`): so that recovery need not
    # work it out anew
    due: float = 0.0
    due_by: int = 0

    @property
    def detected(self) -> bool:
        """Whether an item has ever been counted: a profile alone makes no noise."""
        return self.state_since > 0.0

    def noise_at(self, at: float, half_life_s: float) -> float:
        """Return the noise (0 to 100) at `at`."""
        return self.composite * decay(at - self.last_seen, half_life_s)

    def rate_at(self, horizon: int, horizon_h: float, at: float) -> float:
        """Return items per hour at the horizon with index `horizon` (a half-life of `horizon_h` hours) at `at`.

        A stationary stream of r items per hour has a decayed count of r * h / ln 2, hence the factor.
        """
        return self.counts[horizon] * LN2 / horizon_h * decay(at - self.rates_at, horizon_h * HOUR_S)
