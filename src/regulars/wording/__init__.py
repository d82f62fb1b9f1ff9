"""Wording: every sentence for people: a code and its facts, said in English and Chinese.

catalogue    the sentences themselves, one TOML file for each room, both languages side by side
voice        a sentence, which rooms pass on, and one reader: a language, a currency, a zone, and how they read it
"""

from regulars.wording.catalogue import known_codes
from regulars.wording.voice import LANGUAGES, Language, Progress, Sentence, Voice, clean, language_for

__all__ = ["LANGUAGES", "Language", "Progress", "Sentence", "Voice", "clean", "known_codes", "language_for"]
