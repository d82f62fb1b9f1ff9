"""Layout: how plain values stand on a terminal of any width: paragraphs and sheets, in letters of one cell or of two.

Nothing is ever cut. A sheet too wide for the terminal first lets its longer texts wrap; where that is not enough, each of its
rows becomes a paragraph of names and values.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.panel import Panel
from rich.text import Text

from regulars.wording import Sentence, Voice

_BETWEEN = 2
_LEAST_TEXT = 16
"""No column of texts becomes narrower than so many cells, unless all of its texts are shorter."""
_LEAST_HEAD = 8
_WIDE, _CLOSING = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef", "[，。、；：？！）」』”…％]*"
_PIECES = re.compile(rf"\s+|[（「『“][{_WIDE}]{_CLOSING}|[{_WIDE}]{_CLOSING}|[^\s{_WIDE}]+{_CLOSING}")
"""Where a line may be broken: at white space and between Chinese characters, but not before their closing marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A paragraph. is_whole: it is never broken, such as the path of a file, which is to be copied."""

    text: str
    style: str = ""
    hanging: int = 0
    is_whole: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        lines = self.text.split("\n") if self.is_whole else wrapped(self.text, options.max_width, self.hanging)
        yield from (_line(line, self.style) for line in lines)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        longest = max(map(cell_len, self.text.split("\n")))
        return Measurement(min(_longest_piece(self.text), options.max_width), min(longest, options.max_width))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Rows under their heads; numbers: the columns that stand on the right."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        widths = self._widths(options.max_width)
        if widths is None:
            yield from self._paragraphs(options.max_width)
            return
        if any(self.heads):
            yield from self._row(self.heads, widths, "dim")
        for row in self.rows:
            yield from self._row(row, widths, "")

    def _widths(self, most: int) -> list[int] | None:
        """Of each column, in cells; None where even the least of all do not fit."""
        columns = list(zip(self.heads, *self.rows, strict=True))
        whole = [max(map(cell_len, column)) for column in columns]
        least = [self._least(place, column) for place, column in enumerate(columns)]
        room = most - _BETWEEN * (len(columns) - 1)
        for cap in range(max(whole), 0, -1):
            widths = [max(few, min(many, cap)) for few, many in zip(least, whole, strict=True)]
            if sum(widths) <= room:
                return widths
        return None

    def _least(self, place: int, column: Sequence[str]) -> int:
        """How narrow a column may become: numbers are never broken, texts between words only."""
        if place not in self.numbers:
            return max(min(_LEAST_TEXT, max(map(cell_len, column))), *map(_longest_piece, column))
        head, *cells = column
        return max(min(_LEAST_HEAD, cell_len(head)), _longest_piece(head), *map(cell_len, cells))

    def _row(self, cells: Sequence[str], widths: Sequence[int], style: str) -> Iterator[Text]:
        broken = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
        for parts in zip_longest(*broken, fillvalue=""):
            padded = (
                _padded(part, width, on_right=place in self.numbers)
                for place, (part, width) in enumerate(zip(parts, widths, strict=True))
            )
            yield _line((" " * _BETWEEN).join(padded).rstrip(), style)

    def _paragraphs(self, most: int) -> Iterator[Text]:
        for row in self.rows:
            named = [f"{head} {cell}".strip() for head, cell in zip(self.heads, row, strict=True) if cell]
            yield from (_line(line, "") for line in wrapped(" · ".join(named), most, hanging=2))


def sheet(
    voice: Voice,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Iterable[int] = (),
    title: RenderableType | None = None,
) -> RenderableType:
    """A plain table under its title. columns: the ends of `column_...` in the wording, "" for a column without a head."""
    heads = tuple(voice.say(f"column_{name}") if name else "" for name in columns)
    cells = tuple(tuple("" if value is None else voice.told(value) for value in row) for row in rows)
    made = Sheet(heads=heads, rows=cells, numbers=frozenset(numbers))
    return Group(title, made) if title is not None else made


def strong(text: str) -> Words:
    return Words(text=text, style="bold")


def faint(text: str) -> Words:
    return Words(text=text, style="dim")


def plain(text: str) -> Words:
    return Words(text=text)


def whole(text: str) -> Words:
    """Lines that are never broken, for they are to be copied."""
    return Words(text=text, is_whole=True)


def spoken(said: Sentence | str, voice: Voice) -> str:
    """A sentence in words; words as they are."""
    return voice.say(said) if isinstance(said, Sentence) else said


def notes(voice: Voice, said: Iterable[Sentence | str], style: str = "dim") -> list[RenderableType]:
    """Each of them behind a dot."""
    return [Words(text=f"• {spoken(one, voice)}", style=style, hanging=2) for one in said]


def simulated(voice: Voice) -> Words:
    """The first line of everything that is made up."""
    return Words(text=voice.say("simulated_mark"), style="bold yellow")


def refusal(voice: Voice, words: str) -> RenderableType:
    """An error as a person would want to read it."""
    title = voice.say("refusal_title")
    return Panel(Words(text=words), title=title, title_align="left", border_style="red", expand=False)


def wrapped(text: str, width: int, hanging: int = 0) -> list[str]:
    """A text in lines of at most so many cells; lines after the first of a paragraph are set in by `hanging`.

    >>> wrapped("two words", 5), wrapped("预算已用完。", 10)
    (['two', 'words'], ['预算已用', '完。'])
    """
    lines = []
    for paragraph in text.split("\n"):
        line, margin = "", ""
        for piece in _pieces(paragraph, width - hanging):
            if line and cell_len(margin + line + piece.rstrip()) > width:
                lines.append(margin + line.rstrip())
                line, margin = "", " " * hanging
            line += piece if line else piece.lstrip()
        lines.append(margin + line.rstrip())
    return lines


def _pieces(text: str, width: int) -> Iterator[str]:
    """What stays together; a piece longer than a line comes letter by letter."""
    for piece in _PIECES.findall(text):
        yield from [piece] if cell_len(piece) <= width else piece


def _longest_piece(text: str) -> int:
    return max((cell_len(piece) for piece in _PIECES.findall(text) if piece.strip()), default=0)


def _padded(text: str, width: int, *, on_right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if on_right else text + space


def _line(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ignore", end="\n")
