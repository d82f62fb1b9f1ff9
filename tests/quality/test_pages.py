"""The page on quality, its pictures, and the commands."""

import functools
import json
import os
import re
from collections.abc import Callable

import pytest
from tests.quality.conftest import Chain

from commands import run_command
from regulars.quality import Quality
from regulars.reports import quality_charts, quality_page, write_quality_report
from regulars.reports.quality_words import called, words


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
        assert page.index("hair in my soup") < page.index(words(language)["cards"])
    assert "2 hints at harm need a person today" in pages["en"]


def test_changes_have_a_picture_causes_and_their_honesty(pages: dict[str, str]) -> None:
    assert "one false alarm a year is expected for each dish" in pages["en"]
    assert re.search(r"Likeliest: S2 \(store\) explains \d+%", pages["en"])
    assert "observational" in pages["en"]
    assert pages["en"].count("<svg") >= 10


def test_both_languages_have_the_same_words() -> None:
    assert set(words("en")) == set(words("zh"))
    assert [len(value) for value in words("en").values() if isinstance(value, list)] == [
        len(value) for value in words("zh").values() if isinstance(value, list)
    ]
    assert called("factors", "cook", "zh") == "厨师"
    with pytest.raises(ValueError, match="language is en or zh, not 'fr'"):
        words("fr")


def test_a_control_chart_marks_the_change_and_the_alarm(chain: Chain) -> None:
    quality = Quality(chain.lake)
    change = quality.watch("prep_seconds").changes[0]
    drawn = json.dumps(quality_charts.control_chart(quality.stream("prep_seconds"), change).to_dict())
    assert f"changed {change.changed_on}" in drawn
    assert f"alarm {change.alarmed_on}" in drawn


def test_a_score_card_shows_peers_and_how_many(chain: Chain) -> None:
    chart = quality_charts.score_card(Quality(chain.lake).cards(("store",)), "S2", language="zh").to_dict()
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
