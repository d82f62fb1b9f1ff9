"""The server: its processes and threads, begun and ended in order."""

import atexit
import ctypes
import gc
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connections
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from regulars.errors import DataError

PATIENCE_SECONDS = 20
"""How long a process that is told to stop may finish what it has begun."""

HEAD_SECONDS = 10
"""How long the head of a request may take."""

MOST_CONNECTIONS = 8_192
"""So many may be open at once to each process; whoever comes then waits."""

_GARBAGE = 20_000
"""So many objects are made before the collector looks for cycles: a group of redemptions makes thousands, which go by themselves."""

_TURN_SECONDS = 0.0005
"""How long a thread keeps the interpreter while another wants it: a redemption asks for it a dozen times, a large body has it long."""

_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG, prctl(2)


def share_figures(processes: int) -> None:
    """Let several processes count together; must be called before anything is counted."""
    if processes > 1:
        folder = tempfile.mkdtemp(prefix="regulars-metrics-")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def check_port(host: str, port: int) -> None:
    """Raises DataError where nobody can listen there: several servers on one port would share its callers without knowing."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except (OSError, OverflowError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot listen on {host}, port {port}: {words}; name another with --port or --host") from None


def serve(host: str, port: int, *, processes: int, threads: int, ready: Callable[[], object]) -> None:
    """Serve until somebody stops it. ready: called once the port is open."""
    check_port(host, port)
    connections.close_all()  # the server forks
    server = Granian(
        "regulars.service.gateway:Gateway",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000),
        websockets=False,
        workers=processes,
        backpressure=MOST_CONNECTIONS,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=PATIENCE_SECONDS,
    )
    server.on_startup(ready)
    server.serve(target_loader=partial(_load, threads))


def _load(threads: int, target: str) -> Any:
    """The application, in a process that does not outlive the one that began it: an orphan would keep the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    from regulars.service.gateway import Gateway
    from regulars.service.wsgi import application

    _settle()
    return Gateway(application, threads)


def _settle() -> None:
    """Nothing that was loaded until now is ever garbage: the collector need not walk through it while guests pay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    sys.setswitchinterval(_TURN_SECONDS)
