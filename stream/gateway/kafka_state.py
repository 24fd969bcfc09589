"""What Kafka says of the workers' lag and of dead letters; asked in a thread, and not more often than it can change."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from schemas.errors import BrokerError
from schemas.times import from_epoch
from stream.gateway.bodies import KafkaState, PartitionLag
from stream.kafka_lag import Lag, lag
from stream.settings import Settings

FRESH_S: Final = 10.0
"""How long an answer is given again. Each costs Kafka some requests, and who looks at a page does so for minutes."""
LOST_S: Final = 30.0
"""How long it is not asked again after it did not answer: each attempt holds a thread for seconds."""
UNTOLD: Final = "Kafka is not asked: the gateway was started without it"


class KafkaWatch:
    """Asks the Kafka of the settings; without `settings` it knows nothing."""

    def __init__(self, settings: Settings | None) -> None:
        self._settings = settings
        self._known: KafkaState | None = None
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def state(self) -> KafkaState:
        """Return what is known, asking anew where that is old."""
        if self._settings is None:
            return KafkaState(None, None, (), None, UNTOLD)
        async with self._asking:
            if self._known is None or time.monotonic() >= self._until:
                self._known = await asyncio.to_thread(_asked, self._settings)
                fresh_s = FRESH_S if self._known.error is None else LOST_S
                self._until = time.monotonic() + fresh_s
            return self._known


def _asked(settings: Settings) -> KafkaState:
    at = from_epoch(float(int(time.time())))
    try:
        found: Lag = lag(settings)
    except BrokerError as error:
        return KafkaState(None, None, (), at, str(error))
    partitions = tuple(PartitionLag(number, behind) for number, behind in sorted(found.by_partition.items()))
    return KafkaState(found.records, found.dead_letters, partitions, at, None)
