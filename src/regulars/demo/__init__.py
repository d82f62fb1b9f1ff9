"""The demo: the main job from end to end on real data."""

from regulars.demo.story import CUT_OFF, run

__all__ = ["CUT_OFF", "run"]
