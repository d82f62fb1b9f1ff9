"""Segments: rules over profiles, one line of text each; many of them in one scan; who entered, who left, and why."""

from regulars.segments.changes import changes
from regulars.segments.library import LIBRARY, ReadySegment
from regulars.segments.rules import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, Segment
from regulars.segments.scan import counts, members

__all__ = [
    "LIBRARY",
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_NODES",
    "ReadySegment",
    "Segment",
    "changes",
    "counts",
    "members",
]
