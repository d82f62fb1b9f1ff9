"""Jobs: what is being done, what was done, what failed; stop one, try one again."""

from typing import Annotated, Any

import typer

from regulars.cli.answers import AsJson, voice
from regulars.cli.records import Workspace, now, opened_records, say, table

app = typer.Typer(no_args_is_help=False)
JobId = Annotated[int, typer.Argument(min=1, help="The number of the job, as `regulars jobs` lists it.")]
_COLUMNS = ("job_id", "kind", "state", "progress", "attempt", "when", "error")


@app.callback(invoke_without_command=True)
def jobs(
    context: typer.Context,
    alive: Annotated[bool, typer.Option("--alive", help="Only those that wait or run.")] = False,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """The newest jobs: what the worker does, did, and could not do.  Example:  regulars jobs --alive"""
    if context.invoked_subcommand is not None:
        return
    with opened_records(workspace):
        from regulars.jobs import actions

        found = actions.jobs(is_alive=True if alive else None, most=most)
    table(as_json, [_row(job, as_json) for job in found], _COLUMNS)


@app.command()
def stop(job_id: JobId, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """End a job: at once where it waits, after its chunk where it runs.  Example:  regulars jobs stop 12"""
    with opened_records(workspace):
        from regulars.jobs import actions

        job = actions.stop(job_id, now=now())
    say(as_json, _row(job, True), "job_ends" if job.ended_at is None else "job_stopped", job=job_id, kind=job.kind)


@app.command()
def retry(job_id: JobId, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Let a job that failed or was stopped go on where it left off.  Example:  regulars jobs retry 12"""
    with opened_records(workspace):
        from regulars.jobs import actions

        job = actions.retry(job_id, now=now())
    say(as_json, _row(job, True), "job_waits", job=job_id, kind=job.kind)


def _row(job: Any, as_json: bool) -> dict[str, Any]:
    row = {name: getattr(job, name) for name in job.__dataclass_fields__}
    if as_json:
        return row
    at = job.ended_at or job.due_at
    return row | {
        "state": voice().say(f"job_state_{'ending' if job.is_to_stop and job.ended_at is None else job.state}"),
        "progress": f"{job.done:,}" + (f" / {job.of:,}" if job.of else "") if job.done or job.of else "",
        "when": voice().instant(at),
    }
