"""Named bands of noise, and the noise as it is shown."""

from __future__ import annotations

import math
from bisect import bisect_right

from scoring.policy import Policy


def shown(noise: float) -> int:
    """Return the noise as a reader sees it: rounded down, so that a level is never claimed before it is reached.

    >>> shown(39.75)
    39
    """
    return math.floor(noise)


def level_of(noise: float, policy: Policy) -> str:
    """Return the name of the band that `noise` (0 to 100) lies in."""
    return policy.level_names[max(0, bisect_right(policy.level_edges, noise) - 1)]
