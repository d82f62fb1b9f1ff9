"""Kept plans: plans on disk. A plan is written once, never changed, and can be made again to the byte."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.planning.campaign import Campaign
from regulars.planning.plan import Plan, make_plan
from regulars.planning.plan_page import PlanPage
from regulars.planning.summary import PlanSummary
from regulars.planning.values import read_value, write_once, write_value
from regulars.tables import Lake, Workspace
from regulars.wording import Progress

_CAMPAIGN, _SUMMARY, _PAGE = "campaign.json", "plan.json", "page.json"
_ASSIGNMENTS, _EXPOSURES = "assignments.parquet", "exposures.parquet"
_AGAIN = "plan its campaign again with `regulars plan CAMPAIGN.toml`"


class KeptPlan(NamedTuple):
    """A plan on disk: the campaign it was made for, and its folder."""

    plan_id: str
    folder: Path
    campaign: Campaign


def save(plan: Plan, workspace: Workspace) -> Path:
    """Keep a plan; one that is there already is left untouched. Returns its folder."""
    folder = workspace.plans / plan.plan_id
    if (folder / _SUMMARY).exists():
        return folder
    workspace.require_writable()
    folder.mkdir(parents=True, exist_ok=True)
    write_once(folder / _CAMPAIGN, plan.campaign.model_dump_json(indent=2).encode())
    write_once(folder / _ASSIGNMENTS, assignment_bytes(plan))
    write_once(folder / _EXPOSURES, _bytes(plan.exposures()))
    write_value(folder / _SUMMARY, PlanSummary.of(plan))
    return folder


def save_page(plan: Plan, lake: Lake) -> PlanPage:
    """Keep what a page shows of a plan that was saved, so that no page fits or solves anything. lake: the one it was made from."""
    file = lake.workspace.plans / plan.plan_id / _PAGE
    if not file.exists():
        write_value(file, PlanPage.of(plan, lake))
    return read_page(file.parent)


def remake(lake: Lake, plan_id: str, progress: Progress | None = None) -> tuple[Lake, Plan]:
    """Make a kept plan again: the lake as it was then, and the plan."""
    folder = find(lake.workspace, plan_id)
    then = lake.at(read_summary(folder).versions)
    return then, make_plan(then, _campaign(folder), progress)


def replay(lake: Lake, plan_id: str) -> bool:
    """Whether a kept plan, made again from the tables as they were, comes out the same to the byte."""
    folder = find(lake.workspace, plan_id)
    again = remake(lake, folder.name)[1]
    return again.plan_id == folder.name and assignment_bytes(again) == (folder / _ASSIGNMENTS).read_bytes()


def find(workspace: Workspace, plan_id: str | None = None) -> Path:
    """The folder of a plan by the beginning of its id; None takes the latest. Raises DataError where there is none."""
    kept = sorted(workspace.plans.glob(f"*/{_SUMMARY}"), key=lambda path: path.stat().st_mtime_ns)
    found = [path.parent for path in kept if plan_id is None or path.parent.name.startswith(plan_id)]
    if not found:
        which = "no plan yet" if plan_id is None else f"no plan '{plan_id}'"
        raise DataError(f"{workspace.path}: {which}; `regulars plan CAMPAIGN.toml` makes one")
    return found[-1]


def kept_plans(workspace: Workspace) -> list[KeptPlan]:
    """All kept plans, by their id. Raises DataError for one that this version cannot read."""
    files = sorted(workspace.plans.glob(f"*/{_CAMPAIGN}"))
    return [KeptPlan(file.parent.name, file.parent, _campaign(file.parent)) for file in files]


def read_summary(folder: Path) -> PlanSummary:
    """The summary of a kept plan. Raises DataError for one that another version kept."""
    return read_value(folder / _SUMMARY, PlanSummary, mend=_AGAIN)


def read_page(folder: Path) -> PlanPage:
    """What a page shows of a kept plan. Raises DataError where it was not kept, or by another version."""
    if not (folder / _PAGE).exists():
        raise DataError(f"{folder}: nothing was kept for a page; {_AGAIN}, which keeps it")
    return read_value(folder / _PAGE, PlanPage, mend=_AGAIN)


def read_assignments(folder: Path) -> pa.Table:
    """The assignments of a kept plan, by guest_id."""
    return pq.read_table(folder / _ASSIGNMENTS)


def assignment_bytes(plan: Plan) -> bytes:
    """The assignments as the bytes of a Parquet file: the same plan gives the same bytes."""
    return _bytes(plan.assignments())


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _campaign(folder: Path) -> Campaign:
    return read_value(folder / _CAMPAIGN, Campaign, mend=f"{_AGAIN}, or delete {folder} if it was never run")
