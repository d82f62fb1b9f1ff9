"""Wording: every sentence for people: a code and its facts, said in English and Chinese.

sentence     a code with facts: what rooms pass on
catalogue    the sentences themselves, one TOML file for each room, both languages side by side
voice        one reader: a language, a currency and a zone, and how they read sentences, amounts, days and lists
"""

from regulars.wording.catalogue import known_codes
from regulars.wording.sentence import Progress, Sentence
from regulars.wording.voice import LANGUAGES, Language, Voice, clean, language_for

__all__ = ["LANGUAGES", "Language", "Progress", "Sentence", "Voice", "clean", "known_codes", "language_for"]
