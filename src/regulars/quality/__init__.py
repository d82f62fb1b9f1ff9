"""Quality: how good the food and the service are, whether they changed, what probably caused it, and what it is worth.

aspects       what guests talk about: 18 aspects in five groups
clauses       a review in the pieces that each say one thing
lexicon       what a clause says by the words in it
encoders      clauses to vectors, behind one small protocol
heads         linear models over encoder and lexicon
readers       which aspects a clause judges, and how
safety        hints at harm, in four classes
dishes        which dish of the menu a clause means
mentions      the reviews of a lake, read and kept
labels        clauses with their labels, to learn from and to grade by
training      heads from labelled clauses
grades        how well clauses are read, on those held out
servings      one row for each dish served, as arrays
shrinkage     few data lean on their peers
cards         score cards
cusum         the CUSUM of one stream, its threshold and its delay
control_charts  charts of every dish, store and shift
causes        what explains most of a change
consistency   how much a dish varies between stores, cooks and shifts
worth         what an experience is worth, and what to mend
trust         which reviews to believe less, and why
replies       whom to answer first
names         what people call dishes, stores and causes
assessment    all of it, asked of a lake
"""

from regulars.quality.aspects import ASPECTS, GROUPS, Aspect
from regulars.quality.assessment import Clue, Clues, Quality, Worth
from regulars.quality.cards import score_cards
from regulars.quality.clauses import Clauses, split
from regulars.quality.consistency import Consistency, consistency
from regulars.quality.control_charts import MEASURES, Change, Stream, Watch, watch
from regulars.quality.encoders import SentenceEncoder, TextEncoder
from regulars.quality.heads import Heads
from regulars.quality.mentions import ReadReport, mentions, read_reviews
from regulars.quality.names import Names
from regulars.quality.readers import LexiconReader, Reader, Readings, TrainedReader, open_reader
from regulars.quality.replies import Replies, Reply, reply_queue
from regulars.quality.safety import CLASSES
from regulars.quality.servings import Servings, servings
from regulars.quality.trust import Doubt, Doubts, Trust, trust
from regulars.quality.worth import Effect, Mend, within

__all__ = [
    "ASPECTS", "CLASSES", "GROUPS", "MEASURES", "Aspect", "Change", "Clauses", "Clue", "Clues", "Consistency",
    "Doubt", "Doubts", "Effect", "Heads", "LexiconReader", "Mend", "Names", "Quality", "ReadReport", "Reader",
    "Readings", "Replies", "Reply", "SentenceEncoder", "Servings", "Stream", "TextEncoder", "TrainedReader", "Trust",
    "Watch", "Worth", "consistency", "mentions", "open_reader", "read_reviews", "reply_queue", "score_cards",
    "servings", "split", "trust", "watch", "within",
]  # fmt: skip
