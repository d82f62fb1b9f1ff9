"""The Django app of tills, their keys and their stores."""

from regulars.records.rooms import Room


class Access(Room):
    """Its tables begin with `access_`."""

    name = "regulars.access"
    label = "access"
