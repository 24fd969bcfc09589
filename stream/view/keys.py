"""The names of the keys in Redis. All of one view hang on its generation, so that another can be made beside it.

`apply.lua` writes most of them and holds the same names.
"""

from __future__ import annotations

from msgspec import Struct


class Keys(Struct, frozen=True):
    """The keys of a deployment's views, all below `prefix`."""

    prefix: str

    @property
    def current(self) -> str:
        """String: the generation that readers see."""
        return f"{self.prefix}:generation"

    @property
    def counter(self) -> str:
        """String: the last generation that was begun."""
        return f"{self.prefix}:generations"

    @property
    def rebuilding(self) -> str:
        """String that expires: the generation being made."""
        return f"{self.prefix}:rebuilding"

    @property
    def live(self) -> str:
        """Stream: the events as they came, across generations, so that a rebuild breaks no reader's place in it."""
        return f"{self.prefix}:live"

    @property
    def live_offsets(self) -> str:
        """Hash source -> first offset that is not in the stream yet."""
        return f"{self.prefix}:live-offsets"

    def of(self, generation: int) -> GenerationKeys:
        """The keys of one generation."""
        return GenerationKeys(f"{self.prefix}:{generation}:")


class GenerationKeys(Struct, frozen=True):
    """The keys of one generation, below `root`. An incident or name stands last, so whatever it holds is safe."""

    root: str

    @property
    def about(self) -> str:
        """Hash: `half_life_s` that orders the boards; `latest_ms`, the latest event time seen."""
        return f"{self.root}about"

    @property
    def offsets(self) -> str:
        """Hash source (`topic/partition`) -> offset of the next record."""
        return f"{self.root}offsets"

    @property
    def scores(self) -> str:
        """Hash incident -> its latest score, the event's bytes."""
        return f"{self.root}scores"

    @property
    def profiles(self) -> str:
        """Hash incident -> its profile, the event's bytes."""
        return f"{self.root}profiles"

    @property
    def index(self) -> str:
        """Hash category -> its latest index, the event's bytes."""
        return f"{self.root}index"

    @property
    def figures(self) -> str:
        """Sorted set: folded name of a figure by the number of incidents it is a party to."""
        return f"{self.root}figures"

    def board(self, name: str | None = None) -> str:
        """Sorted set: incidents by the key of the leaderboard; all, or those of a category, state or trend."""
        return f"{self.root}board:{name}" if name else f"{self.root}board"

    @property
    def recent(self) -> str:
        """Sorted set: the incidents on the board by the time of their latest coverage (epoch s)."""
        return f"{self.root}recent"

    def index_history(self, category: str) -> str:
        """Sorted set: the last point of the index in each cell of time, by the cell's number."""
        return f"{self.root}index-history:{category}"

    def loudest(self, month: str) -> str:
        """Sorted set: incidents by the greatest noise that was told of them in a month."""
        return f"{self.root}loudest:{month}"

    def told(self, month: str) -> str:
        """Sorted set: state changes and confirmed peaks of a month by event time (ms).

        Each is its id, a line break, its topic, a space, and the event's bytes.
        """
        return f"{self.root}told:{month}"

    def figure(self, folded: str) -> str:
        """Hash incident -> the party that the figure is in it, as JSON."""
        return f"{self.root}figure:{folded}"

    def history(self, incident_id: str) -> str:
        """Sorted set: the last point of each cell of time, by the cell's number."""
        return f"{self.root}history:{incident_id}"

    def changes(self, incident_id: str) -> str:
        """Hash id -> topic, a space, and the bytes of a change of state or trend, or a peak crossing.

        And `floor TOPIC` -> the latest revision that was let go of, and the ids of it.
        """
        return f"{self.root}changes:{incident_id}"

    def order(self, incident_id: str) -> str:
        """Sorted set: the ids of the changes by revision."""
        return f"{self.root}order:{incident_id}"
