"""The report: self-contained, escaped, and honest about what its numbers rest on."""

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

import regulars as rg
from conftest import lacking
from regulars.planning import PlanPage, PlanSummary, make_plan, parse_campaign, save, save_page
from regulars.reports import campaign_report, write_report
from regulars.results import keep_backtest
from regulars.wording import Sentence
from shops import CAMPAIGN, make_lake

Kept = tuple[PlanSummary, PlanPage]


@pytest.fixture(scope="module")
def kept(targeted: rg.Lake) -> Kept:
    plan = make_plan(targeted, parse_campaign(CAMPAIGN.replace("Autumn regulars", "Autumn <script>alert(1)</script>")))
    return PlanSummary.of(plan), PlanPage.of(plan, targeted)


@pytest.fixture(scope="module")
def page(kept: Kept) -> str:
    return campaign_report(*kept, about=Sentence("simulated_about"))


def test_it_loads_nothing_from_anywhere(page: str) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", page)) - {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert addresses == set()
    assert not re.search(r"<(script|link|img|iframe)\b", page)


def test_names_are_escaped(page: str) -> None:
    assert "Autumn &lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_it_says_in_words_what_it_rests_on(page: str) -> None:
    assert "These numbers are observational" in page
    assert "Past offers went to chosen guests, not by lot" in page
    assert "The past cannot tell whether this pays" in page or "Run it" in page or "Do not run it" in page


def test_every_picture_is_there(page: str) -> None:
    titles = [
        "Stages of life",
        "Where the value is",
        "How often guests come",
        "Who gets what",
        "What other budgets would bring",
    ]
    assert page.count("<svg") == 6
    for title in [*titles, "What past offers changed, as it seems and as it is"]:
        assert title in page


def test_ten_guests_are_explained(kept: Kept, page: str) -> None:
    told = kept[1].samples
    assert len(told) == len({sample.guest_id for sample in told}) == 10
    assert {sample.arm for sample in told} == {"treated", "explore", "holdout"}
    assert all(f"<td>{sample.guest_id}</td>" in page for sample in told)


def test_it_is_said_in_chinese_too(kept: Kept) -> None:
    told = campaign_report(*kept, language="zh")
    assert '<html lang="zh">' in told
    words = re.sub(r"<(style|svg|code)\b.*?</\1>", "", told, flags=re.DOTALL)
    sentences = re.findall(r">([^<>]*[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}[^<>]*)<", words)
    assert [
        sentence for sentence in sentences if "rows could have" not in sentence and "weighting" not in sentence
    ] == []
    assert told.count("<svg") == 6


def test_no_two_sentences_run_into_each_other(page: str) -> None:
    words = re.sub(r"<(style|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert re.findall(r"[a-z]{2,}[.!?][A-Z][a-z]+", words) == []
    assert not re.search(r"\b1 days", words)


def test_a_kept_plan_is_reported_without_fitting_or_solving(targeted: rg.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(targeted, parse_campaign(CAMPAIGN))
    save(plan, targeted.workspace)
    assert save_page(plan, targeted) == PlanPage.of(plan, targeted)
    keep_backtest(targeted, plan)
    for name in ("regulars.effects.fit", "regulars.allocation.solve", "regulars.planning.plan.make_plan"):
        monkeypatch.setattr(name, lambda *_, **__: pytest.fail("worked out again"))
    path = write_report(targeted, plan.plan_id)
    assert plan.plan_id in path.read_text(encoding="utf-8")


def test_a_plan_of_which_nothing_was_kept_for_a_page_is_refused_with_the_mend(targeted: rg.Lake) -> None:
    plan = make_plan(targeted, parse_campaign(CAMPAIGN.replace("seed = 3", "seed = 4")))
    save(plan, targeted.workspace)
    with pytest.raises(rg.DataError, match="nothing was kept for a page; plan its campaign again"):
        write_report(targeted, plan.plan_id)


MEASURE = "<script>parent.postMessage(document.documentElement.scrollWidth - document.documentElement.clientWidth, '*')</script>"


@pytest.mark.parametrize("width", [390, 1440])
def test_chromium_shows_it_without_an_error_and_nothing_scrolls_sideways(page: str, tmp_path: Path, width: int) -> None:
    if (chromium := shutil.which("chromium")) is None:
        lacking("browser", "no chromium; `apt-get install chromium` brings it")
    framed = f'<iframe style="width: {width}px; height: 900px" srcdoc="{escape(page + MEASURE)}"></iframe>'
    within = "<script>onmessage = (told) => { document.body.dataset.over = told.data }</script>"
    (tmp_path / "page.html").write_text(f"<meta charset=utf-8>{within}{framed}", encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
             "--virtual-time-budget=5000"]  # fmt: skip
    show = [str(chromium), *flags, "--dump-dom", (tmp_path / "page.html").as_uri()]
    done = subprocess.run(show, capture_output=True, text=True, timeout=120, check=True)
    assert page.count("<svg") == 6
    assert re.findall(r'<body data-over="(\d+)"', done.stdout) == ["0"]
    assert "CONSOLE" not in done.stderr


def test_pictures_take_the_colours_of_the_page_so_that_they_can_be_read_in_the_dark(page: str) -> None:
    drawn = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert drawn.count("var(--main, #0f766e)") > 5
    assert not re.search(r'(fill|stroke)="#(1f2933|7b8794|e4e7eb|0f766e)"', drawn)


def test_a_report_written_anew_keeps_the_mark_of_its_workspace(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "shop")
    settings = tmp_path / "shop" / "workspace.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('mark = ""', 'mark = "made up"'), encoding="utf-8")
    marked = rg.Lake.open(tmp_path / "shop")
    plan = make_plan(marked, parse_campaign(CAMPAIGN))
    save(plan, lake.workspace)
    save_page(plan, marked)
    written = write_report(marked, plan.plan_id).read_text(encoding="utf-8")
    assert written.count(">made up<") == written.count("<figure") > 3
    assert not re.search(r"(over|under)states it by -", written)
