"""Which partition an incident lies in: that of Kafka's default partitioner, as crawlers and editors send with."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner


class Partitioner:
    """Kafka's default partitioner (murmur2 of the key), each incident asked for once.

    >>> Partitioner(8)("log4shell")
    3
    """

    def __init__(self, partitions: int) -> None:
        self._all = list(range(partitions))
        self._known: dict[str, int] = {}

    def __call__(self, incident_id: str) -> int:
        """Return the partition of an incident."""
        partition = self._known.get(incident_id)
        if partition is None:
            partition = DefaultPartitioner()(incident_id.encode(), self._all, self._all)
            self._known[incident_id] = partition
        return partition
