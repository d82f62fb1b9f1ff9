"""The page of campaigns that were lived one after another: what each promised, what was measured of it, and what was true."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from regulars import __version__
from regulars.charts.results import Lived, measured_and_true, promised_and_true
from regulars.charts.theme import marked
from regulars.measurement.contrasts import holds
from regulars.reports.page import render
from regulars.wording import Language, Sentence, Voice


class Episode(NamedTuple):
    """One campaign, minor units. promised: what its plan expected, 0 where nothing was known. low, high: of what was measured."""

    name: str
    given: int
    subsidy_minor: float
    promised_minor: float
    true_minor: float
    measured_minor: float
    low_minor: float
    high_minor: float
    advice: Sentence

    @property
    def is_covered(self) -> bool:
        """Whether the measured interval holds the truth."""
        return holds((self.low_minor, self.high_minor), self.true_minor)


def town_page(
    episodes: Sequence[Episode], *, currency: str, about: Sentence, mark: str, links: Mapping[str, str],
    language: Language = "en",
) -> str:  # fmt: skip
    """One HTML page. about: what the data are. mark: a word under every picture. links: name of a page -> its file."""
    voice = Voice(language=language, currency=currency)
    lived = [Lived(e.promised_minor, e.true_minor, e.measured_minor, e.low_minor, e.high_minor) for e in episodes]
    facts = {
        "campaigns": len(episodes), "covered": sum(episode.is_covered for episode in episodes),
        "gained_minor": sum(episode.true_minor for episode in episodes),
        "spent_minor": sum(episode.subsidy_minor for episode in episodes),
    }  # fmt: skip
    values = {
        "version": __version__, "voice": voice, "about": voice.say(about), "episodes": episodes, "links": links, "facts": facts,
        "gains": marked(promised_and_true(lived, voice), mark), "spans": marked(measured_and_true(lived, voice), mark),
    }  # fmt: skip
    return render("town.html", values)
