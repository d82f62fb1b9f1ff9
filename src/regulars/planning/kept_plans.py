"""The archive: plans on disk. A plan is written once, never changed, and can be made again to the byte."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.planning.campaign import Campaign
from regulars.planning.plan import Plan, make_plan
from regulars.tables import Lake, Workspace

_CAMPAIGN, _ASSIGNMENTS, _SUMMARY = "campaign.json", "assignments.parquet", "plan.json"


def save(plan: Plan, workspace: Workspace) -> Path:
    """Keep a plan; one that is there already is left untouched. Returns its folder."""
    folder = workspace.plans / plan.plan_id
    if (folder / _SUMMARY).exists():
        return folder
    workspace.require_writable()
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _CAMPAIGN, plan.campaign.model_dump_json(indent=2).encode())
    _write(folder / _ASSIGNMENTS, assignment_bytes(plan))
    _write(folder / _SUMMARY, json.dumps(summary(plan), indent=2, ensure_ascii=False).encode())
    return folder


def remake(lake: Lake, plan_id: str, progress: Callable[[str], None] | None = None) -> tuple[Lake, Plan]:
    """Make a kept plan again: the lake as it was then, and the plan."""
    folder = find(lake.workspace, plan_id)
    campaign = Campaign.model_validate_json((folder / _CAMPAIGN).read_text(encoding="utf-8"))
    then = lake.at(read_summary(folder)["versions"])
    return then, make_plan(then, campaign, progress)


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


def kept_campaigns(workspace: Workspace) -> dict[str, Campaign]:
    """The campaigns of all kept plans by their id, of several plans the latest."""
    files = sorted(workspace.plans.glob(f"*/{_CAMPAIGN}"), key=lambda path: path.stat().st_mtime_ns)
    found = (Campaign.model_validate_json(path.read_text(encoding="utf-8")) for path in files)
    return {campaign.identity: campaign for campaign in found}


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a kept plan."""
    kept: dict[str, Any] = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
    return kept


def read_assignments(folder: Path) -> pa.Table:
    """The assignments of a kept plan, by guest_id."""
    return pq.read_table(folder / _ASSIGNMENTS)


def assignment_bytes(plan: Plan) -> bytes:
    """The assignments as the bytes of a Parquet file: the same plan gives the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(plan.assignments(), sink, compression="zstd")
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def summary(plan: Plan) -> dict[str, Any]:
    """What a plan comes to, as plain values: counts, money in minor units, certificate, limits, warnings."""
    decision, design = plan.decision, plan.design
    return {
        "plan_id": plan.plan_id,
        "campaign_id": plan.campaign.identity,
        "name": plan.campaign.name,
        "currency": plan.currency,
        "audience": len(plan.audience),
        "left_out": plan.audience.left_out,
        "basis": plan.lessons.basis_words,
        "learned_from": {"campaigns": plan.lessons.campaigns, "exposures": plan.lessons.rows},
        "arms": decision.arm_counts,
        "offers": decision.offer_counts(plan.offer_ids),
        "expected": decision.certificate._asdict(),
        "limits": [use._asdict() for use in decision.limits],
        "design": None if design is None else design._asdict(),
        "warnings": list(plan.warnings),
        "versions": plan.versions,
    }


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o444)
