"""The archive: plans on disk. A plan is written once, never changed, and can be made again to the byte."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pydantic

from regulars.errors import DataError
from regulars.planning.campaign import Campaign
from regulars.planning.plan import Plan, make_plan
from regulars.tables import Lake, Workspace
from regulars.wording import Progress

_CAMPAIGN, _ASSIGNMENTS, _EXPOSURES, _SUMMARY = "campaign.json", "assignments.parquet", "exposures.parquet", "plan.json"


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
    _write(folder / _CAMPAIGN, plan.campaign.model_dump_json(indent=2).encode())
    _write(folder / _ASSIGNMENTS, assignment_bytes(plan))
    _write(folder / _EXPOSURES, _bytes(plan.exposures()))
    _write(folder / _SUMMARY, json.dumps(summary(plan), indent=2, ensure_ascii=False).encode())
    return folder


def remake(lake: Lake, plan_id: str, progress: Progress | None = None) -> tuple[Lake, Plan]:
    """Make a kept plan again: the lake as it was then, and the plan."""
    folder = find(lake.workspace, plan_id)
    campaign = _campaign(folder)
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


def kept_plans(workspace: Workspace) -> list[KeptPlan]:
    """All kept plans, by their id. Raises DataError for one that this version cannot read."""
    return [
        KeptPlan(file.parent.name, file.parent, _campaign(file.parent))
        for file in sorted(workspace.plans.glob(f"*/{_CAMPAIGN}"))
    ]


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a kept plan."""
    kept: dict[str, Any] = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
    return kept


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


def _campaign(folder: Path) -> Campaign:
    try:
        return Campaign.model_validate_json((folder / _CAMPAIGN).read_text(encoding="utf-8"))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(
            f"{folder / _CAMPAIGN}: {place}: {first['msg']}; another version of regulars kept this plan: plan its campaign again, "
            "or delete the folder if it was never run"
        ) from None


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o444)
