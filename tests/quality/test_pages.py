"""The page on quality, its pictures, and the commands."""

import datetime as dt
import functools
import json
import os
import re
from collections.abc import Callable

import pytest
from tests.quality.conftest import Chain

from commands import run_command
from regulars.charts.quality import score_card
from regulars.quality import Clue, Clues, Names, Quality
from regulars.quality.aspects import NAMES
from regulars.quality.causes import WHOLE
from regulars.quality.control_charts import MEASURES
from regulars.quality.safety import CLASS_NAMES
from regulars.quality.trust import REASONS
from regulars.reports import quality_page, write_quality_report
from regulars.reports.quality import praises
from regulars.wording import LANGUAGES, Voice


def run(chain: Chain, *arguments: str, status: int = 0) -> str:
    folder = chain.lake.workspace.path
    done = run_command(("quality", *arguments), folder=folder, environment=os.environ | {"COLUMNS": "200"})
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def pages(chain: Chain) -> dict[str, str]:
    """The English page by the call, the Chinese one as it is written into the workspace."""
    path = write_quality_report(chain.lake, language="zh", coupon_price=0.4)
    english = quality_page(Quality(chain.lake), coupon_price=0.4).html
    return {"en": english, "zh": path.read_text(encoding="utf-8")}


def test_it_loads_nothing_from_anywhere(pages: dict[str, str]) -> None:
    for page in pages.values():
        addresses = set(re.findall(r"https?://[^\s\"'<>]+", page))
        assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        assert not re.search(r"<(script|link|img|iframe)\b", page)


def test_harm_stands_before_everything_with_its_words(pages: dict[str, str]) -> None:
    for language, page in pages.items():
        assert page.index("hair in my soup") < page.index(Voice(language=language).say("quality_cards"))
    assert "2 hints at harm to be read by a person today" in pages["en"]


def test_changes_have_a_picture_causes_and_their_honesty(pages: dict[str, str]) -> None:
    assert "one false alarm a year is expected for each dish" in pages["en"]
    assert re.search(r"Likeliest: S2 \(store\) explains \d+%", pages["en"])
    assert "observational" in pages["en"]
    assert pages["en"].count("<svg") >= 10


def test_everything_that_is_named_has_words_in_every_language() -> None:
    """Codes that are put together from names; those written out are held by the tests of the wording."""
    codes = [f"aspect_{name}" for name in NAMES] + [f"harm_{name}" for name in CLASS_NAMES]
    codes += [f"measure_{name}" for name in MEASURES] + [f"doubt_{name}" for name in REASONS]
    codes += [
        f"factor_{name}" for name in ("store", "shift", "cook", "batch", "rush", "price", "season", "single", WHOLE)
    ]
    codes += [
        f"level_{name}"
        for name in ("rush", "quiet_hour", "lower_price", "same_price", "higher_price", "year_ago", WHOLE)
    ]
    for language in LANGUAGES:
        assert all(Voice(language=language).say(code) for code in codes)


def test_a_language_that_is_not_there_is_refused(chain: Chain) -> None:
    with pytest.raises(ValueError, match="language is en or zh, not 'fr'"):
        quality_page(Quality(chain.lake), language="fr")  # type: ignore[arg-type]


def test_a_control_chart_marks_the_change_and_the_alarm(chain: Chain) -> None:
    quality = Quality(chain.lake)
    change = quality.watch("prep_seconds").changes[0]
    drawn = json.dumps(change.plot().to_dict())
    assert f"changed {change.changed_on}" in drawn
    assert f"alarm {change.alarmed_on}" in drawn


def test_a_score_card_shows_peers_and_how_many(chain: Chain) -> None:
    rows = Quality(chain.lake).cards(("store",)).to_pylist()
    chart = score_card(praises(rows, "S2"), "S2", Voice(language="zh")).to_dict()
    assert chart["title"]["text"] == "S2：口碑"
    assert "口味" in json.dumps(chart, ensure_ascii=False)


@pytest.fixture
def command(chain: Chain) -> Callable[..., str]:
    return functools.partial(run, chain)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cards",), "12 of 12 rows"),
        (("watch", "--measure", "prep_seconds"), "charts of preparation time alarmed"),
        (("consistency", "Beef soup"), "holds the standard"),
        (("safety",), "hair in my soup"),
        (("worth", "--coupon-price", "0.4"), "brings 0.40 beyond itself"),
        (("trust",), "reviews weigh less"),
        (("replies", "--days", "60"), "the most urgent first"),
    ],
)
def test_a_command_says_what_it_found(command: Callable[..., str], arguments: tuple[str, ...], said: str) -> None:
    assert said in command(*arguments)


def test_commands_answer_as_json(command: Callable[..., str]) -> None:
    assert json.loads(command("safety", "--json"))[0]["kind"] == "poisoning"
    assert json.loads(command("watch", "--measure", "prep_seconds", "--json"))["changes"][0]["causes"]
    assert json.loads(command("read", "--lexicon", "--json"))["new"] == 0


def test_refusals_are_sentences(command: Callable[..., str]) -> None:
    assert "no measure 'beauty'; there are reorder_rate" in command("watch", "--measure", "beauty", status=1)
    assert "'fr' is not one of 'en', 'zh'" in command("report", "--language", "fr", status=2)
    assert "score cards are by store, item, shift, month, not town" in command("cards", "--by", "town", status=1)


def test_results_show_themselves(chain: Chain) -> None:
    quality = Quality(chain.lake)
    watched, clues = quality.watch("prep_seconds"), quality.clues()
    for found in (
        watched,
        clues,
        quality.worth(),
        quality.consistency("soup"),
        quality.trust,
        quality.doubts(),
        quality.replies(days=60),
    ):
        assert len(repr(found).splitlines()) <= 12
        assert len(found.to_frame()) == len(found.to_arrow()) > 0
        assert len(found.to_pandas()) == len(found.to_polars())
        assert found._repr_html_().startswith("<p>")
    assert repr(watched).startswith(f"Watch: {len(watched.changes)} of {watched.charts} charts alarmed")
    assert (clues[0].kind, clues.to_frame()["kind"][0]) == ("poisoning", "poisoning")
    assert watched.plot() is not None


def test_text_by_guests_is_harmless_in_a_notebook_and_on_a_terminal() -> None:
    at = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    clues = Clues([Clue("hygiene", 4, "<b>R1</b>", "S1", None, None, at, "\x1b[31mdirty\u202e<script>x()</script>")])
    assert "<script>" not in clues._repr_html_()
    assert "\x1b" not in repr(clues)
    assert "\u202e" not in repr(clues)


def test_stores_and_dishes_are_called_by_their_names() -> None:
    names = Names({"soup": "Beef soup"}, {"S1": "Harbour"})
    unit = names.unit({"item": "soup", "store": "S1", "shift": "dinner"})
    assert Voice().say(unit) == "Beef soup · Harbour · dinner"
    assert Voice(language="zh").say(unit) == "Beef soup · Harbour · 晚餐"
    assert Voice().say(names.unit({"store": "S9"})) == "S9"
