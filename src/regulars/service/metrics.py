"""Metrics: the time of each request, and all figures as Prometheus reads them. Codes, guests and keys are in no label."""

import os
from functools import lru_cache

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Histogram(
    "regulars_request_seconds",
    "Time to answer a request, by route and status.",
    ("method", "route", "status"),
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)


@lru_cache(maxsize=4096)
def requests_of(method: str, route: str, status: int) -> Histogram:
    """Where such requests are counted; the library looks it up behind a lock, at every request."""
    return REQUESTS.labels(method, route, status)


def all_figures() -> bytes:
    """The figures of this process, or of all of them where `regulars serve` began several."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
