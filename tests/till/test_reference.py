"""The reference: every route and field, on one page that fetches nothing."""

import re
from html.parser import HTMLParser

from django.test import Client

from regulars.till.api import api
from regulars.till.problems import STATUSES


class Seen(HTMLParser):
    """What a page refers to, and whether its tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.names.add(value or "")
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_has_everything_and_fetches_nothing_from_elsewhere() -> None:
    answer = Client(SERVER_NAME="localhost").get("/docs")
    text, seen = answer.content.decode(), Seen()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    seen.feed(text)
    assert not seen.open
    assert not seen.tags & {"script", "style", "iframe", "img"}
    assert set(filter(lambda link: not link.startswith("#"), seen.links)) == {"docs.css", "api/v1/openapi.json"}
    assert {link[1:] for link in seen.links if link.startswith("#")} <= seen.names
    for path, methods in api.get_openapi_schema()["paths"].items():
        assert all(f"{method.upper()} {path}" in text for method in methods)
    assert all(f"<code>{code}</code>" in text for code in STATUSES)
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_its_style_is_our_own() -> None:
    answer = Client(SERVER_NAME="localhost").get("/docs.css")
    assert answer.headers["Content-Type"].startswith("text/css")
    assert not re.search(r"url\(|@import", answer.content.decode())
