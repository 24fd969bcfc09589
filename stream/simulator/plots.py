"""The words: what the controversies are about, who takes part, and what is written. All of it is invented."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from schemas.incident_profile import IncidentProfile, Party
from schemas.times import from_epoch
from schemas.words import Category, Side, Tier

_COMPANIES: Final = (
    "Halcyon Labs", "Brightwater", "Quillmark", "Corvane Systems", "Thistlegate", "Mirefold",
    "Pellworth AI", "Sablewick", "Tarnloom", "Vesperline", "Lanternmere", "Umbral & Wick",
)  # fmt: skip
_BODIES: Final = (
    "Open Commons Circle", "Guild of Voices", "Northmarch Court", "Data Wardens' Office", "Model Audit Forum",
    "Union of Labellers", "Quiet Sky Coalition", "Fair Weights Alliance",
)  # fmt: skip
_PEOPLE: Final = (
    "Oren Vastrel", "Mirela Tonk", "Jossa Wyeburn", "Halden Prisk", "Sunniva Ardle", "Teo Marrowin",
    "Ilse Quandrup", "Bram Ostrick", "Nadja Felloe", "Cass Underwhin",
)  # fmt: skip
_MODELS: Final = ("Marlin-4", "Osprey", "Wrenlet", "Tapir-2", "Basalt", "Loomer", "Finch Pro", "Ravel")

TIERS: Final = ((Tier.A, Tier.C, Tier.B, Tier.C, Tier.C), (Tier.B, Tier.B, Tier.C, Tier.C, Tier.C))
"""Influence of the five parties of an ordinary incident, taken in turn."""
LOUD_TIERS: Final = (Tier.S, Tier.S, Tier.A, Tier.A, Tier.B)
"""Influence of the parties of the loudest incident: full star power in any count of points."""

_CRITICAL: Final = (
    "{accused} owes everybody an answer about {matter}",
    "Why I am leaving {accused} over {matter}",
    "{critic} is right about {matter}",
    "{matter}: worse than it looked yesterday",
    "{person}: '{accused} was warned about this twice'",
    "We read the fine print on {matter} so that you need not",
    "Leaked minutes contradict what {accused} said of {model}",
)
_DEFENDING: Final = (
    "In defence of {accused}: what {critic} leaves out",
    "{accused} publishes its side of {matter}",
    "{matter}? I work with {model} every day and see none of it",
    "The rush to judge {accused} helps nobody",
    "{person}: 'Show me the harm first'",
    "{model} passes an outside review, with remarks",
)
_NEUTRAL: Final = (
    "What is known about {matter} so far",
    "{matter}, a timeline",
    "{accused} and {critic} meet behind closed doors",
    "{accused} says it will answer {critic} this week",
    "Ask: has {matter} touched your work?",
    "Hearing on {model} is set for next month",
    "{person} on {matter}: a long conversation",
    "Live notes: the {accused} press call",
    "How {model} was built, in twelve drawings",
)


@dataclass(frozen=True, slots=True)
class Plot:
    """What a controversy is about: its texts, with `{accused}`, `{critic}` and `{model}` to fill in.

    `impact` is its consequence for the industry, 0 to 100.
    """

    slug: str
    category: Category
    impact: float
    title: str
    matter: str
    why: str


PLOTS: Final = (
    Plot("choir", Category.IP, 80.0, "{accused} trained {model} on a choir archive without asking",
         "the choir archive", "It may settle whether a performance can be licensed by silence."),
    Plot("night-shift", Category.LABOR, 60.0, "{critic} walks out over night-shift labelling at {accused}",
         "the night-shift contracts", "Data work is done out of sight; this makes its price visible."),
    Plot("benchmark", Category.ETHICS, 40.0, "{model} scores fall after {critic} finds the answers inside",
         "the withdrawn scores", "Buyers choose by benchmarks that nobody outside can repeat."),
    Plot("river-sensors", Category.REGULATION, 55.0, "{critic} opens a case on {accused} river sensors",
         "the river sensors case", "The first test of the new duty to explain automatic decisions."),
    Plot("door-locks", Category.SAFETY, 70.0, "{accused} recalls door locks that opened for recorded voices",
         "the door lock recall", "A safety promise met a two-minute recording."),
    Plot("rename", Category.CORPORATE, 25.0, "{accused} renames {model} and drops its free tier overnight",
         "the vanished free tier", "Small teams built on a promise that was a marketing line."),
    Plot("weather-balloons", Category.MILITARY, 75.0, "{accused} kept {model} on a balloon contract",
         "the balloon contract", "Pledges not to arm a model are only as good as the audit behind them."),
    Plot("recipe-bot", Category.OTHER, 15.0, "{model} recipe bot praises glue, {critic} keeps a museum of it",
         "the recipe museum", "Harmless this time, and a fair picture of how answers are checked."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """One plot with its cast: the texts are filled in, the parties are named."""

    plot: Plot
    cast: dict[str, str]
    parties: tuple[Party, ...]

    def profile(self, incident_id: str, impact: float, born: float) -> IncidentProfile:
        """Return the editors' profile, written when the incident is `born` (epoch seconds).

        `impact` is 0 to 100.
        """
        accused, critic, model = self.cast["accused"], self.cast["critic"], self.cast["model"]
        matter = self.plot.matter
        return IncidentProfile(
            incident_id=incident_id,
            title=self.plot.title.format(**self.cast),
            category=self.plot.category,
            parties=self.parties,
            industry_impact=impact,
            summary=f"{critic} and {accused} disagree about {matter}. {accused} calls its work on {model} "
            f"careful; {critic} asks for the records and has so far been given a summary.",
            why_it_matters=self.plot.why,
            key_points=(
                f"{critic} made its findings on {matter} public.",
                f"{accused} has not shown the records behind {model}.",
                "A simulated story: no such people, companies or models exist.",
            ),
            forecast=f"{accused} will probably publish more on {matter} before anyone orders it to.",
            updated_at=from_epoch(born),
        )

    def headline(self, rng: Random, stance: float | None) -> str:
        """Draw the title of an item that takes `stance` (-1 critic, 1 defender, None for neither)."""
        lines = _NEUTRAL if stance is None else _CRITICAL if stance < 0.0 else _DEFENDING
        text = rng.choice(lines).format(**self.cast, person=rng.choice(self.people))
        return text[0].upper() + text[1:]

    @property
    def people(self) -> tuple[str, str]:
        """The two people who take part: the critics' and the defenders' voice."""
        return self.parties[2].name, self.parties[3].name

    @property
    def figures(self) -> tuple[str, ...]:
        """Everyone an item may name."""
        return tuple(party.name for party in self.parties)


def tell(rng: Random, plot: Plot, tiers: tuple[Tier, ...]) -> Story:
    """Draw the cast of `plot`: a company accused, its critic, a person on each side, a company looking on.

    `tiers` are their influence, in this order.
    """
    accused, bystander = rng.sample(_COMPANIES, 2)
    critic, model = rng.choice(_BODIES), rng.choice(_MODELS)
    against, for_it = rng.sample(_PEOPLE, 2)
    parties = (
        Party(accused, Side.DEFENDER, tiers[0], f"Says {plot.matter} followed its rules."),
        Party(critic, Side.CRITIC, tiers[1], f"Wants the records on {plot.matter}."),
        Party(against, Side.CRITIC, tiers[2], f"Speaks for those who object to {model}."),
        Party(for_it, Side.DEFENDER, tiers[3], f"Answers for {model}."),
        Party(bystander, Side.NEUTRAL, tiers[4], "Sells a competing product and says little."),
    )
    cast = {"accused": accused, "critic": critic, "model": model, "matter": plot.matter}
    return Story(plot, cast, parties)
