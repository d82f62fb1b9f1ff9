"""Data in: contracts, readers, mappings, and the lake."""

from regulars.tables.contracts import CONTRACTS, Column, Contract, Kind, contract
from regulars.tables.formats import open_source
from regulars.tables.lake import Lake
from regulars.tables.mapping import From, Mapping, read_mapping
from regulars.tables.report import LoadReport
from regulars.tables.unloading import Load, Unloaded
from regulars.tables.workspace import Settings, Workspace

__all__ = [
    "CONTRACTS",
    "Column",
    "Contract",
    "From",
    "Kind",
    "Lake",
    "Load",
    "LoadReport",
    "Mapping",
    "Settings",
    "Unloaded",
    "Workspace",
    "contract",
    "open_source",
    "read_mapping",
]
