"""I3 and I4: what was acknowledged is there after any kill, what was not is there wholly or not at all, and every key has one effect."""

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storms.crowd import Crowd
from storms.house import House, free_port, on_sqlite, start, start_worker, stop
from storms.test_storms import check

MOST_SECONDS_BACK = 5.0
THREADS = 16


@pytest.fixture
def kills(is_whole: bool) -> int:
    return 100 if is_whole else 4


def test_I3_I4_kills_of_the_server_lose_nothing_on_sqlite(tmp_path: Path, kills: int) -> None:
    with on_sqlite(tmp_path) as house:
        besiege(house, kills, lambda _: None, random.Random(1))


def test_I3_I4_kills_of_server_worker_and_database_lose_nothing_on_postgresql(
    tmp_path: Path, kills: int, cluster: "Cluster"
) -> None:
    house = House(f"postgresql://postgres@127.0.0.1:{cluster.port}/postgres", tmp_path, free_port())
    besiege(house, kills, cluster.kill, random.Random(2))


def besiege(house: House, kills: int, kill_database: Callable[[random.Random], None], draw: random.Random) -> None:
    """Tills that insist, while server, worker and database are killed at random; then the books against what the tills know."""
    vouchers = kills * 400
    found = house.ask("open", {"cap": vouchers * 2, "vouchers": vouchers})
    codes = found["codes"]["five-off-0"]
    work = [codes[place::THREADS] for place in range(THREADS)]
    with Siege(house) as siege:
        crowd = Crowd(house.port, found["token"], work, house.folder / "told", processes=4, is_stubborn=True)
        crowd.let_loose()
        backs = [siege.strike(kill_database, draw) for _ in range(kills)]
        told = crowd.told()
    outcomes = check(told, house.ask("books"))
    print(outcomes, f"back within {max(backs):.2f} s")
    assert max(backs) < MOST_SECONDS_BACK
    assert outcomes == {"200 ": vouchers}
    assert len({json.loads(one.body)["applied"][0]["redemption_id"] for one in told}) == vouchers


class Siege:
    """A server and a worker that are killed and begun again."""

    def __init__(self, house: House) -> None:
        self.house = house

    def __enter__(self) -> "Siege":
        self.server, self.worker = start(self.house), start_worker(self.house)
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.server)
        stop(self.worker)

    def strike(self, kill_database: Callable[[random.Random], None], draw: random.Random) -> float:
        """Kill the server, and by chance the database and the worker; the seconds until it serves again."""
        time.sleep(draw.uniform(0.05, 0.5))
        if draw.random() < 0.5:
            kill_database(draw)
        if draw.random() < 0.5:
            stop(self.worker, signal.SIGKILL)
            self.worker = start_worker(self.house)
        stop(self.server, signal.SIGKILL)
        began = time.monotonic()
        self.server = start(self.house)
        return time.monotonic() - began


class Cluster:
    """A PostgreSQL server of our own, which may be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.bin = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self._run("initdb", "--auth=trust", "--username=postgres", "--pgdata", str(folder))

    def _run(self, program: str, *arguments: str) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*user, str(self.bin / program), *arguments], check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=40"
        self._run("pg_ctl", "start", "-w", "-D", str(self.folder), "-l", str(self.folder / "log"), "-o", options)

    def kill(self, draw: random.Random) -> None:
        """The server is killed outright, or told to quit without tidying up; then it starts again."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL if draw.random() < 0.5 else signal.SIGQUIT)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.01)
        self._start_again()

    def _start_again(self, patience: float = 30) -> None:
        """Orphans of a killed server leave by themselves when they see that it is gone; until then nobody may start."""
        ends = time.monotonic() + patience
        while True:
            try:
                return self.start()
            except subprocess.CalledProcessError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.1)

    @property
    def pid(self) -> int:
        return int((self.folder / "postmaster.pid").read_text().split()[0])

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-D", str(self.folder), "-m", "immediate")


@pytest.fixture
def cluster(postgresql: str) -> Iterator[Cluster]:
    """In a folder of its own: those of pytest are for one user, and PostgreSQL will not run as root."""
    with tempfile.TemporaryDirectory(prefix="regulars-cluster-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, "postgres")
        made = Cluster(Path(name) / "data")
        made.start()
        try:
            yield made
        finally:
            made.stop()
