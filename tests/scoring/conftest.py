"""Properties are drawn alike in every run; HYPOTHESIS_PROFILE=thorough draws more of them, and at random.

`mutation` draws few: `make mutation` runs them for each of thousands of mutants, and again in full for those that live.
`compiled` draws a quarter: the same run holds the same properties in full against the sources of what is compiled.
"""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "scoring",
    deadline=None,  # a first example compiles regular expressions and fills caches
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("thorough", settings.get_profile("scoring"), max_examples=1000, derandomize=False)
settings.register_profile("compiled", settings.get_profile("scoring"), max_examples=15)
settings.register_profile(
    "mutation", settings.get_profile("scoring"), max_examples=8, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "scoring"))
