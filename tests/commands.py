"""The command line in a process of its own, as an operator has it, but for the seconds that Python takes to import.

A server that has imported what is heavy, and nothing of ours that looks at its surroundings, forks one process for each command.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

HEAVY = ["altair", "django.db", "lightgbm", "numba", "pandas", "scipy.stats", "sklearn.isotonic", "sklearn.linear_model",
         "regulars.planning", "regulars.reports", "rich.console", "typer"]  # fmt: skip
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(HEAVY)


def run_command(
    arguments: tuple[str, ...], *, folder: Path, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """`regulars` with these arguments, in a folder, with nothing but this environment."""
    with tempfile.TemporaryDirectory() as outputs:
        said = [Path(outputs, name) for name in ("stdout", "stderr")]
        process = FORKS.Process(target=_main, args=(arguments, str(folder), dict(environment), list(map(str, said))))
        process.start()
        process.join()
        texts = [path.read_text(encoding="utf-8") for path in said]
    assert process.exitcode is not None
    return subprocess.CompletedProcess(["regulars", *arguments], process.exitcode, *texts)


def _main(arguments: tuple[str, ...], folder: str, environment: dict[str, str], outputs: list[str]) -> None:
    for descriptor, path in zip((1, 2), outputs, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))  # noqa: PTH123, SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["regulars", *arguments]
    from regulars.cli import main

    main()
