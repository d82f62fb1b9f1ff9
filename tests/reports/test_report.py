"""The report: self-contained, escaped, and honest about what its numbers rest on."""

import re
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest

import regulars as rg
from conftest import lacking
from regulars.guests import profiles_with_taste
from regulars.planning import make_plan, parse_campaign, save
from regulars.reports import campaign_report, samples, write_report
from shops import CAMPAIGN, make_lake


@pytest.fixture(scope="module")
def page(targeted: rg.Lake) -> str:
    plan = make_plan(targeted, parse_campaign(CAMPAIGN.replace("Autumn regulars", "Autumn <script>alert(1)</script>")))
    crowd: pa.Table = targeted.collect(profiles_with_taste(targeted, plan.campaign.decided_on))
    return campaign_report(plan, crowd, about="A shop that was made up.")


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


def test_ten_guests_are_explained(shop: rg.Lake) -> None:
    told = samples(make_plan(shop, parse_campaign(CAMPAIGN)))
    assert len(told) == len({sample.guest_id for sample in told}) == 10
    assert {sample.arm for sample in told} == {"treated", "explore", "holdout"}
    assert all(sample.why for sample in told)


def test_the_report_of_a_kept_plan_is_written(targeted: rg.Lake) -> None:
    plan = make_plan(targeted, parse_campaign(CAMPAIGN))
    save(plan, targeted.workspace)
    path = write_report(targeted, plan.plan_id)
    assert plan.plan_id in path.read_text(encoding="utf-8")


def test_chromium_shows_it_without_an_error(page: str, tmp_path: Path) -> None:
    if (chromium := shutil.which("chromium")) is None:
        lacking("browser", "no chromium; `apt-get install chromium` brings it")
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr"]  # fmt: skip
    show = [str(chromium), *flags, "--dump-dom", (tmp_path / "page.html").as_uri()]
    done = subprocess.run(show, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.count("<svg") == 6
    assert "CONSOLE" not in done.stderr


def test_a_report_written_anew_keeps_the_mark_of_its_workspace(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "shop")
    settings = tmp_path / "shop" / "workspace.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('mark = ""', 'mark = "made up"'), encoding="utf-8")
    marked = rg.Lake.open(tmp_path / "shop")
    plan = make_plan(marked, parse_campaign(CAMPAIGN))
    save(plan, lake.workspace)
    written = write_report(marked, plan.plan_id).read_text(encoding="utf-8")
    assert written.count(">made up<") == written.count("<figure") > 3
    assert not re.search(r"(over|under)states it by -", written)
