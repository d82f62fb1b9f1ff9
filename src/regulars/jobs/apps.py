"""The Django app of jobs."""

from regulars.records.rooms import Room


class Jobs(Room):
    """Its tables begin with `jobs_`."""

    name = "regulars.jobs"
    label = "jobs"
