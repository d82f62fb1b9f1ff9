"""Screens of data: what a load did, which rows were rejected, what the doctor saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from regulars.cli.screens.layout import Words, faint, plain, sheet, strong
from regulars.wording import Voice

if TYPE_CHECKING:
    import pyarrow as pa

    from regulars.doctor import Finding
    from regulars.tables import LoadReport

_MARKS = {"good": ("✓", "green"), "look": ("•", "yellow"), "wrong": ("✗", "red")}


def load_report(report: LoadReport, voice: Voice) -> RenderableType:
    """What a load did, and what to do next."""
    if report.is_repeated:
        said = voice.say("load_repeated", table=report.table, source=report.source, accepted=report.accepted)
        return plain(said)
    counts = {"accepted": report.accepted, "rejected": report.rejected, "changed": report.changed}
    lines: list[RenderableType] = [plain(voice.say("load_done", table=report.table, **counts))]
    if report.replaced or report.gone:
        parts = {"new": report.new, "replaced": report.replaced, "gone": report.gone}
        lines.append(plain(voice.say("load_changes", **parts)))
    if report.read_as:
        lines.append(faint(voice.say("load_read_as", export=report.read_as)))
    if report.set_aside:
        counted = voice.listed((f"{count:,} {reason}" for reason, count in report.set_aside.items()), most=None)
        lines.append(plain(voice.say("load_set_aside", table=report.table, counted=counted)))
    lines += [Words(text=note, style="yellow") for note in voice.each(report.notes)]
    if report.rejected:
        lines.append(Words(text=voice.say("load_next", table=report.table), style="yellow"))
    return Group(*lines)


def rejects(total: int, reasons: pa.Table, rows: pa.Table, voice: Voice) -> RenderableType:
    """The commonest reasons, then single rows."""
    if not total:
        return plain(voice.say("rejects_none"))
    common = [(row["n"], row["table"], row["column"], row["example"]) for row in reasons.to_pylist()]
    names = ("file", "line", "column", "reason", "original")
    single = [[row[name] for name in names] for row in rows.to_pylist()]
    title = strong(voice.say("rejects_title", total=total))
    return Group(
        sheet(voice, ["rows", "table", "column", "example"], common, numbers=[0], title=title),
        "",
        sheet(voice, names, single, numbers=[1]),
    )


def findings(found: Sequence[Finding], voice: Voice) -> RenderableType:
    """What the doctor saw."""
    return Group(*(_finding(finding) for finding in found))


def _finding(finding: Finding) -> RenderableType:
    mark, style = _MARKS[finding.state]
    return Words(
        text=f"{mark} {finding.subject}: {finding.words}", style="" if finding.state == "good" else style, hanging=2
    )
