"""The row of one incident: fixed in size whatever it has seen, and all there is to know for its next event."""

from __future__ import annotations

from dataclasses import dataclass

from mypy_extensions import mypyc_attr

from schemas.times import HOUR_S
from schemas.words import Activity, Category, State, Tier, Trend
from scoring.decay import LN2, decay
from scoring.platform_sum import PlatformSum
from scoring.spike_state import SpikeState


@mypyc_attr(acyclic=True)
@dataclass(init=False, slots=True)
class Incident:
    """The state of one incident. Times are epoch seconds in whole milliseconds.

    The first four fields are its stamp: the offsets last applied from either source topic, the revision and its time.
    A row whose stamp is lower is older.
    """

    items_offset: int
    profiles_offset: int
    revision: int
    as_of: float

    # evidence: sums of integers over the standing observations, so the order of arrival is of no matter
    items: int
    first_seen: float
    last_seen: float
    platforms: dict[str, PlatformSum]
    figures: dict[str, int]
    figures_left_out: int
    critic: int
    defender: int

    # counts of items, decayed at each horizon, all as of `rates_at`
    rates_at: float
    counts: list[float]

    # from the profile
    category: Category
    impact: float | None
    parties: dict[str, Tier]

    # the curve: noise(t) = composite * 2 ** -((t - last_seen) / half_life)
    composite: float

    # averages that the slope and the shift are measured against, as of `averages_at`
    averages_at: float
    noise_average: float
    polarity: float
    split_mean: float

    trend: Trend

    # lifecycle: the state, since when, whether the last step was back, and since when each rule's comparison holds
    state: State
    state_since: float
    stepped_back: bool
    holds_since: dict[int, float]

    # peaks
    peak_noise: float
    peak_at: float
    announced: float
    peaked: bool
    level: int

    # the item whose observation came last
    last_item: str
    last_platform: str
    last_points: float

    # for the index: the noise's average over months, as of `averages_at`, and when the incident was detected
    long_average: float
    detected_at: float
    # evidence too: the first coverage by mainstream media (`lead_time.mainstream`), 0 for none
    mainstream_first: float
    # since when the trend has its word, and when the last new peak was told
    trend_since: float
    announced_at: float
    # the incident that this one was merged into; its own items move there, and those yet to come are sent on
    merged_into: str | None

    # when somebody first took a side, 0 for nobody: from then on the mean of the split counts
    reaction_since: float
    # volume against its own usual level, and what it does since when
    spike: SpikeState
    activity: Activity
    activity_since: float

    # the next deadline as last told, and the policy it follows from (`Policy.fingerprint`): so that recovery need not
    # work it out anew
    due: float
    due_by: int

    # In the order of the fields, by which a row is read. It is written out because one that `dataclass` makes stays
    # interpreted where the core is compiled: a new incident took three times as long, a row that is read half as long.
    def __init__(
        self,
        items_offset: int = -1,
        profiles_offset: int = -1,
        revision: int = 0,
        as_of: float = 0.0,
        items: int = 0,
        first_seen: float = 0.0,
        last_seen: float = 0.0,
        platforms: dict[str, PlatformSum] | None = None,
        figures: dict[str, int] | None = None,
        figures_left_out: int = 0,
        critic: int = 0,
        defender: int = 0,
        rates_at: float = 0.0,
        counts: list[float] | None = None,
        category: Category = Category.OTHER,
        impact: float | None = None,
        parties: dict[str, Tier] | None = None,
        composite: float = 0.0,
        averages_at: float = 0.0,
        noise_average: float = 0.0,
        polarity: float = 50.0,
        split_mean: float = 0.0,
        trend: Trend = Trend.STEADY,
        state: State = State.EMERGING,
        state_since: float = 0.0,
        stepped_back: bool = False,  # noqa: FBT001, FBT002 - fields by position, as a row has them
        holds_since: dict[int, float] | None = None,
        peak_noise: float = 0.0,
        peak_at: float = 0.0,
        announced: float = 0.0,
        peaked: bool = True,  # noqa: FBT001, FBT002 - fields by position, as a row has them
        level: int = 0,
        last_item: str = "",
        last_platform: str = "",
        last_points: float = 0.0,
        long_average: float = 0.0,
        detected_at: float = 0.0,
        mainstream_first: float = 0.0,
        trend_since: float = 0.0,
        announced_at: float = 0.0,
        merged_into: str | None = None,
        reaction_since: float = 0.0,
        spike: SpikeState | None = None,
        activity: Activity = Activity.NORMAL,
        activity_since: float = 0.0,
        due: float = 0.0,
        due_by: int = 0,
    ) -> None:
        self.items_offset = items_offset
        self.profiles_offset = profiles_offset
        self.revision = revision
        self.as_of = as_of
        self.items = items
        self.first_seen = first_seen
        self.last_seen = last_seen
        self.platforms = {} if platforms is None else platforms
        self.figures = {} if figures is None else figures
        self.figures_left_out = figures_left_out
        self.critic = critic
        self.defender = defender
        self.rates_at = rates_at
        self.counts = [0.0, 0.0, 0.0, 0.0] if counts is None else counts
        self.category = category
        self.impact = impact
        self.parties = {} if parties is None else parties
        self.composite = composite
        self.averages_at = averages_at
        self.noise_average = noise_average
        self.polarity = polarity
        self.split_mean = split_mean
        self.trend = trend
        self.state = state
        self.state_since = state_since
        self.stepped_back = stepped_back
        self.holds_since = {} if holds_since is None else holds_since
        self.peak_noise = peak_noise
        self.peak_at = peak_at
        self.announced = announced
        self.peaked = peaked
        self.level = level
        self.last_item = last_item
        self.last_platform = last_platform
        self.last_points = last_points
        self.long_average = long_average
        self.detected_at = detected_at
        self.mainstream_first = mainstream_first
        self.trend_since = trend_since
        self.announced_at = announced_at
        self.merged_into = merged_into
        self.reaction_since = reaction_since
        self.spike = SpikeState() if spike is None else spike
        self.activity = activity
        self.activity_since = activity_since
        self.due = due
        self.due_by = due_by

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
