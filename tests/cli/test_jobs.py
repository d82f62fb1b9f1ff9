"""Jobs on the command line: seen, stopped, tried again."""

import json
from pathlib import Path

from commands import run_command


def test_jobs_are_seen_and_refusals_are_sentences(tmp_path: Path) -> None:
    folder = ("--workspace", str(tmp_path))
    assert "none yet" in run_command("jobs", *folder).stdout
    run_command("worker", "--once", *folder)
    (job,) = json.loads(run_command("jobs", "--json", *folder).stdout)
    assert (job["kind"], job["state"], job["attempt"]) == ("sweep", "done", 1)
    assert "已完成" in run_command("jobs", *folder, "--language", "zh").stdout
    refused = run_command("jobs", "stop", str(job["job_id"]), *folder, status=1).stderr
    assert "there is nothing to stop" in " ".join(refused.replace("│", " ").split())
    assert "none yet" in run_command("jobs", "--alive", *folder).stdout
