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
    from regulars.tables import Load, LoadReport, Unloaded

_MARKS = {"good": ("✓", "green"), "look": ("•", "yellow"), "wrong": ("✗", "red")}


def load_reports(reports: Sequence[LoadReport], voice: Voice) -> RenderableType:
    """What loads did; of several, from which file each table came."""
    several = len(reports) > 1
    changed = {report.load: report.source for report in reports if report.changed}
    files = len(set(changed.values()))
    backs = [voice.say("load_back", load=load, file=file if files > 1 else None) for load, file in changed.items()]
    return Group(*(load_report(report, voice, with_source=several) for report in reports), *map(faint, backs))


def load_report(report: LoadReport, voice: Voice, *, with_source: bool = False) -> RenderableType:
    """What a load did, and what to do next."""
    if report.is_repeated:
        said = voice.say("load_repeated", table=report.table, source=report.source, accepted=report.accepted)
        return plain(said)
    counts = {"accepted": report.accepted, "rejected": report.rejected, "changed": report.changed}
    lines: list[RenderableType] = [
        plain(voice.say("load_done", table=report.table, source=report.source if with_source else None, **counts))
    ]
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


def loads(found: Sequence[Load], voice: Voice) -> RenderableType:
    """The loads of a workspace, one a row."""
    if not found:
        return plain(voice.say("loads_none"))
    rows = [
        (
            one.load,
            one.loaded_at,
            one.source,
            one.table,
            one.new,
            one.replaced,
            one.gone,
            one.rejected,
            _state(one, voice),
        )
        for one in found
    ]
    names = ["load", "loaded_at", "file", "table", "new", "replaced", "gone", "rejected", ""]
    return Group(sheet(voice, names, rows, numbers=range(4, 8)), "", faint(voice.say("loads_next")))


def _state(load: Load, voice: Voice) -> str:
    return voice.say("load_undone") if load.is_undone else ""


def unloaded(found: Sequence[Unloaded], voice: Voice) -> RenderableType:
    """What became of the tables of a load that was taken back."""
    lines: list[RenderableType] = []
    for one in found:
        counts = {"removed": one.removed, "restored": one.restored, "stayed": one.stayed or None}
        lines.append(plain(voice.say("unload_done", table=one.table, source=one.source, **counts)))
        if one.again:
            lines.append(Words(text=voice.say("unload_again", files=one.again), style="yellow"))
        lines += [
            Words(text=voice.say("unload_orphans", table=table, rows=rows, of=one.table), style="yellow")
            for table, rows in one.orphans.items()
        ]
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
