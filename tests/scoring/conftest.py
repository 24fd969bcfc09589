"""Properties are drawn alike in every run; HYPOTHESIS_PROFILE=thorough draws more of them, and at random."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "scoring",
    deadline=None,  # a first example compiles regular expressions and fills caches
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("thorough", settings.get_profile("scoring"), max_examples=1000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "scoring"))
