"""A real server process for tests, and the command line beside it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

PROGRAM = [sys.executable, "-c", "from regulars.cli import main; main()"]
SECONDS_TO_START = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return int(opened.getsockname()[1])


def environment_of(changes: dict[str, str]) -> dict[str, str]:
    bare = {
        name: value for name, value in os.environ.items() if not name.startswith(("REGULARS_", "DATABASE_", "DJANGO_"))
    }
    return bare | {"COLUMNS": "140"} | changes


class Server:
    """`regulars serve` in a process of its own."""

    def __init__(self, folder: Path, environment: dict[str, str], *options: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*PROGRAM, "serve", "--port", str(self.port), *options], cwd=folder, env=environment_of(environment),
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.address}/health/ready", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"it did not start: {self.log.read_text()}")

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in listed]

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()


@contextlib.contextmanager
def serving(folder: Path, environment: dict[str, str], *options: str) -> Iterator[Server]:
    server = Server(folder, environment, *options)
    try:
        yield server
    finally:
        server.stop()
