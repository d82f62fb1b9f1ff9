"""Segments: rules over profiles, one line of text each; many in one scan; who entered, who left, and why; saved by name."""

from regulars.segments.changes import changes
from regulars.segments.grammar import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES
from regulars.segments.library import LIBRARY, ReadySegment
from regulars.segments.rules import Segment
from regulars.segments.saved import SavedSegment, find, is_reference, save, saved, versions
from regulars.segments.scan import counts, members

__all__ = [
    "LIBRARY",
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_NODES",
    "ReadySegment",
    "SavedSegment",
    "Segment",
    "changes",
    "counts",
    "find",
    "is_reference",
    "members",
    "save",
    "saved",
    "versions",
]
