"""Money: minor units of a currency: read them, round them, split them, say them. Each rule stands here once."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import accumulate, pairwise

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol, list_currencies

from regulars.errors import DataError

_PLACES = {"en": "en_US", "zh": "zh_CN"}


@lru_cache(maxsize=256)
def exponent_of(currency: str) -> int:
    """Decimals of a currency by CLDR: JPY 0, USD 2, KWD 3. Raises DataError where there is no such currency."""
    if not is_currency(currency):
        raise DataError(f"no currency is called '{currency[:10]}'; write an ISO 4217 code such as USD, CNY or JPY")
    return int(get_currency_precision(currency))


def is_currency(word: str) -> bool:
    """Whether a word is an ISO 4217 code."""
    return word in list_currencies()


def symbol_of(currency: str) -> str:
    """The sign of a currency in English: $ for USD, CA$ for CAD, the code where it has none."""
    return str(get_currency_symbol(currency, locale="en_US"))


@lru_cache(maxsize=1)
def symbols() -> frozenset[str]:
    """The last letter of every currency's sign: those that say alone which currency is meant."""
    return frozenset(symbol_of(currency)[-1] for currency in list_currencies())


def to_minor(amount: Decimal | int | float | str, currency: str) -> int:
    """An amount of major units, as people write it, in minor units; halves away from zero.

    >>> to_minor("12.345", "USD"), to_minor(12.5, "JPY"), to_minor("-0.005", "USD")
    (1235, 13, -1)
    """
    return rounded(Decimal(str(amount)).scaleb(exponent_of(currency)))


def to_major(amount_minor: float, currency: str) -> Decimal:
    """Minor units as the amount that people write: 1250 cents are 12.50."""
    return Decimal(str(amount_minor)).scaleb(-exponent_of(currency))


def rounded(amount: Decimal) -> int:
    """To whole minor units, halves away from zero."""
    return int(amount.to_integral_value(ROUND_HALF_UP))


def share_of(amount_minor: int, part: int, whole: int) -> int:
    """`part / whole` of an amount of 0 or more, to the nearest minor unit, halves up; in whole numbers, so exactly.

    >>> share_of(1005, 50, 100)
    503
    """
    return (2 * amount_minor * part + whole) // (2 * whole)


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """An amount in parts by weight that add up to it exactly, none of them above its weight while the amount is not.

    >>> split(100, [1, 1, 1])
    [33, 33, 34]
    """
    whole = sum(weights) or 1
    ends = (amount_minor * so_far // whole for so_far in accumulate(weights, initial=0))
    return [after - before for before, after in pairwise(ends)]


@lru_cache(maxsize=4096)
def say(amount_minor: float, currency: str, language: str = "en") -> str:
    """An amount as people read it, rounded to whole minor units. language: en, zh, or a locale such as de_DE.

    >>> say(81786005, "USD"), say(1250, "KWD"), say(-1250, "CNY", "zh")
    ('$817,860.05', 'KWD1.250', '-¥12.50')
    """
    place = _PLACES.get(language, language)
    try:
        Locale.parse(place)
    except (UnknownLocaleError, ValueError):
        raise DataError(f"no locale is called '{language}'; write one such as en_US or zh_CN") from None
    return str(format_currency(to_major(rounded(Decimal(str(amount_minor))), currency), currency, locale=place))
