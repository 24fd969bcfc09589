"""The topics by their logical names, and which event each carries. A deployment may prefix them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from schemas.dead_letter import DeadLetter
from schemas.incident_merged import IncidentMerged
from schemas.incident_profile import IncidentProfile
from schemas.noise_index import IndexShare, NoiseIndex
from schemas.noise_score import NoiseScore
from schemas.peak_crossing import PeakCrossing
from schemas.source_item import SourceItem
from schemas.state_change import StateChange
from schemas.trend_update import TrendUpdate

SOURCE_ITEMS: Final = "source-items"
INCIDENT_PROFILES: Final = "incident-profiles"
NOISE_SCORES: Final = "noise-scores"
TREND_UPDATES: Final = "trend-updates"
STATE_CHANGES: Final = "state-changes"
PEAK_CROSSINGS: Final = "peak-crossings"
INCIDENT_MERGES: Final = "incident-merges"
NOISE_INDEX: Final = "noise-index"
INDEX_SHARES: Final = "index-shares"
DEAD_LETTERS: Final = "dead-letters"

EVENT_OF: Final[dict[str, type[Struct]]] = {
    SOURCE_ITEMS: SourceItem,
    INCIDENT_PROFILES: IncidentProfile,
    NOISE_SCORES: NoiseScore,
    TREND_UPDATES: TrendUpdate,
    STATE_CHANGES: StateChange,
    PEAK_CROSSINGS: PeakCrossing,
    INCIDENT_MERGES: IncidentMerged,
    NOISE_INDEX: NoiseIndex,
    INDEX_SHARES: IndexShare,
    DEAD_LETTERS: DeadLetter,
}
"""Each topic's event; the first two come in, the others go out (`index-shares` is internal). A merge also sends
observations to the first."""

COMPACTED: Final = frozenset({INCIDENT_PROFILES, NOISE_SCORES, INCIDENT_MERGES, NOISE_INDEX, INDEX_SHARES})
"""Topics of which the latest event of each key stands for all before it; of the others each event counts."""
