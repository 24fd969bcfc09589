"""`incident-merges`: an incident was merged into another, or a merge was taken back; compacted by the old incident."""

from __future__ import annotations

from msgspec import Struct, field

from schemas.times import Moment


class IncidentMerged(Struct, frozen=True):
    """A merge; keyed by `from`, compacted: the latest stands, and sends readers of the old incident to the new one.

    `items` is how many items stood and moved; retracted ones move too and are not among them. `undone` says that the
    merge was taken back, since it closed a circle of merges: then the incident counts its items itself again, `items`
    of them.
    """

    source: str = field(name="from")
    into: str
    at: Moment
    revision: int
    items: int
    undone: bool = False
