"""Which partition an incident lies in: that of Kafka's default partitioner, as crawlers and editors send with."""

from __future__ import annotations

from typing import Final

from murmurhash2 import murmurhash2

_SEED: Final = 0x9747B28C
_POSITIVE: Final = 0x7FFFFFFF


class Partitioner:
    """Kafka's default partitioner (murmur2 of the key, its sign bit cleared), each incident asked for once.

    >>> Partitioner(8)("log4shell")
    3
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._known: dict[str, int] = {}

    def __call__(self, incident_id: str) -> int:
        """Return the partition of an incident."""
        partition = self._known.get(incident_id)
        if partition is None:
            partition = (murmurhash2(incident_id.encode(), _SEED) & _POSITIVE) % self._partitions
            self._known[incident_id] = partition
        return partition
