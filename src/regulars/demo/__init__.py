"""The demo: the main job from end to end on real data, and the whole loop in a simulated town.

story   a year of real orders
town    campaign after campaign among simulated guests
fresh   a new workspace for either
"""

from regulars.demo.story import CUT_OFF, run
from regulars.demo.town import TownTold, run_town

__all__ = ["CUT_OFF", "TownTold", "run", "run_town"]
