"""Pages: results and charts as one self-contained HTML file that loads nothing from anywhere."""

import re
from functools import lru_cache
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup

from regulars.charts.theme import GRID, INK, MAIN, PALE, SOFT, WARM, Chart

_COLOURS = {INK: "ink", SOFT: "soft", GRID: "line", MAIN: "main", WARM: "warm", PALE: "pale"}
_COLOUR = re.compile("|".join(_COLOURS))


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("regulars.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, values: dict[str, Any]) -> str:
    """A page from a template of this room; every value is escaped, charts become SVG inside the page."""
    drawn = {name: svg(value) if hasattr(value, "to_dict") else value for name, value in values.items()}
    return _templates().get_template(template).render(drawn)


def svg(chart: Chart) -> Markup:
    """A chart as SVG, ready to stand in a page, in the colours of the page: light or dark, as its reader has it."""
    drawn = vl_convert.vegalite_to_svg(chart.to_dict())
    return Markup(_COLOUR.sub(lambda found: f"var(--{_COLOURS[found[0]]}, {found[0]})", drawn))
