"""Whose window is collected next, among those of all partitions: a few at a time.

Windows close at the same moments, so that what they write shares requests. Were all of them collected before the first
is sent, every one would wait for the last. So a few are collected and handed to the client, which then has the event
loop to send them, before the next few.
"""

from __future__ import annotations

import asyncio
from typing import Final

AT_A_TIME: Final = 4
"""Fewer make more requests, more of them wait for each other: of eight partitions, half."""

CLIENT_STEPS: Final = 4
"""Rounds of the event loop from a batch that is handed to the client to its bytes in the socket: the sender hears of
it, makes a task for the request, and that packs and writes it."""


class Turns:
    """Shared by the partitions of a worker. Who has its turn collects and hands over before it awaits anything else."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_A_TIME)

    async def mine(self) -> None:
        """Wait for a turn. It ends by itself, `CLIENT_STEPS` rounds of the event loop after this returns."""
        await self._free.acquire()
        self._pass_on_after(CLIENT_STEPS)

    def _pass_on_after(self, rounds: int) -> None:
        if rounds == 0:
            self._free.release()
        else:
            asyncio.get_running_loop().call_soon(self._pass_on_after, rounds - 1)
