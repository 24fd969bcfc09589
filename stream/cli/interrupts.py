"""Ctrl-C and SIGTERM as something a loop looks at, so that a client is never torn out of what it is doing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def until_told(run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run until SIGTERM or Ctrl-C sets the event that `run` is given."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    await run(stop)


class Interrupts:
    """While it is entered (in the main thread), the first Ctrl-C or SIGTERM only sets `asked`.

    A second Ctrl-C interrupts as usual: whoever presses it twice does not want to wait.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True
