"""The reference: the description as a page that people read. It is one document and one stylesheet of our own: nothing is fetched
from elsewhere, and nothing runs in it."""

import json
from functools import lru_cache
from html import escape
from typing import Any

from django.http import HttpRequest, HttpResponse

from regulars.till.api import api

_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
code, pre { font: 0.875em/1.5 ui-monospace, monospace; }
pre { border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); padding: 0.3rem 0.75rem 0.3rem 0; }
nav li { list-style: none; } nav ul { padding: 0; columns: 2; } .quiet { color: var(--quiet); }
@media (max-width: 40rem) { nav ul { columns: 1; } table { display: block; overflow-x: auto; } td, th { min-width: 5rem; } }
"""


def page(request: HttpRequest) -> HttpResponse:
    """The reference of the API."""
    return HttpResponse(_page(), headers={"Content-Security-Policy": _POLICY})


def style(request: HttpRequest) -> HttpResponse:
    """How it looks."""
    return HttpResponse(_STYLE, content_type="text/css; charset=utf-8")


@lru_cache(maxsize=1)
def _page() -> str:
    described: dict[str, Any] = json.loads(api.description_text)
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    shapes = sorted(described["components"]["schemas"].items())
    listed = "".join(_entry(name, operation) for name, operation in operations)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>regulars: the till API</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="docs.css"></head><body>'
        f"<h1>The till API</h1><p>{escape(described['info']['description'])}</p>"
        '<p>For programs: <a href="api/v1/openapi.json">openapi.json</a>.</p>'
        f"<nav><ul>{listed}</ul></nav><main>{''.join(_operation(*one) for one in operations)}"
        f"<h1>Shapes</h1>{''.join(_shape(name, shape) for name, shape in shapes)}</main></body></html>"
    )


def _entry(name: str, operation: dict[str, Any]) -> str:
    return f'<li><a href="#{operation["operationId"]}"><code>{escape(name)}</code></a></li>'


def _operation(name: str, operation: dict[str, Any]) -> str:
    parts = [
        f'<section><h2 id="{operation["operationId"]}"><code>{escape(name)}</code></h2><p>{escape(operation["description"])}</p>'
    ]
    if parameters := operation.get("parameters"):
        rows = [(one["name"], one["in"], one["description"], one["example"]) for one in parameters]
        parts.append(_table(("parameter", "in", "meaning", "example"), rows))
    if "requestBody" in operation:
        parts.append(_example("Request", operation["requestBody"]["content"]["application/json"]))
    for status, response in operation["responses"].items():
        if int(status) < 400:
            parts.append(_example(f"Answer {status}", response["content"]["application/json"]))
    refused = [(status, one["description"]) for status, one in operation["responses"].items() if int(status) >= 400]
    parts.append(f"<details><summary>Problems</summary>{_table(('status', 'codes'), refused)}</details></section>")
    return "".join(parts)


def _example(title: str, content: dict[str, Any]) -> str:
    text = json.dumps(content["example"], indent=2, ensure_ascii=False)
    links = ", ".join(f'<a href="#{name}">{name}</a>' for name in _named(content["schema"]))
    return f"<h3>{title} {links}</h3><pre>{escape(text)}</pre>"


def _shape(name: str, shape: dict[str, Any]) -> str:
    needed = shape.get("required", ())
    rows = [
        (field, "needed" if field in needed else "", described["description"], json.dumps(described["examples"][0], ensure_ascii=False))
        for field, described in shape.get("properties", {}).items()
    ]  # fmt: skip
    return f'<section><h2 id="{name}">{name}</h2><p>{escape(shape.get("description", ""))}</p>' + (
        _table(("field", "", "meaning", "example"), rows) + "</section>"
    )


def _named(shape: dict[str, Any]) -> list[str]:
    some = [shape, *shape.get("anyOf", ())]
    return [one["$ref"].rsplit("/", 1)[-1] for one in some if "$ref" in one]


def _table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{_cell(one)}</td>" for one in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    """What stands between backquotes is code."""
    parts = escape(str(value)).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
