"""`source-items`: one observation of one item (a post, an article, a thread) about an incident."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from schemas.times import Moment

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Count = Annotated[int, Meta(ge=0, le=10**15)]
Figure = Annotated[str, Meta(min_length=1, max_length=512)]
"""A name case folded, which may make three letters of one."""


class Engagement(Struct, frozen=True, gc=False):
    """Interactions with an item, cumulative as observed; a kind the platform does not have is 0."""

    likes: Count = 0
    comments: Count = 0
    shares: Count = 0
    views: Count = 0


class MovedCount(Struct, frozen=True, gc=False):
    """Exactly what was counted of a moved item: `interactions` in thousandths, `critic` and `defender` in millionths
    of a typical item, `figures` as they are compared (case folded).
    """

    interactions: Count = 0
    critic: Count = 0
    defender: Count = 0
    figures: Annotated[tuple[Figure, ...], Meta(max_length=64)] = ()


class Moved(Struct, frozen=True, gc=False):
    """How an observation came here from an incident that was merged into this one. Only the engine sends it.

    `via` are the incidents it came through, the first one first; `at` is when it left the last of them. `counted` is
    given where it was counted there: it is taken as it is, and `engagement`, `stance` and `figures` are not looked at.
    """

    via: tuple[Id, ...]
    at: Moment
    counted: MovedCount | None = None


class SourceItem(Struct, frozen=True, gc=False):
    """One observation of one item; keyed by `incident_id`.

    The observation with the latest `observed_at` stands for the item: seeing it twice, late or out of order
    changes nothing. `retracted` takes the item out again. `audience` is the number of people the author or
    outlet reaches; absent means unknown, and it is then estimated. `stance` runs from -1 (critic) to 1
    (defender). `moved` is the engine's own: do not send it.
    """

    item_id: Id
    incident_id: Id
    platform: Annotated[str, Meta(min_length=1, max_length=64)]
    published_at: Moment
    observed_at: Moment | None = None
    audience: Count | None = None
    engagement: Engagement = Engagement()
    stance: Annotated[float, Meta(ge=-1.0, le=1.0)] | None = None
    author: Annotated[str, Meta(max_length=512)] | None = None
    url: Annotated[str, Meta(max_length=4096)] | None = None
    title: Annotated[str, Meta(max_length=4096)] | None = None
    figures: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    retracted: bool = False
    moved: Moved | None = None
