"""Money: how many decimals a currency has, and an amount as people read it."""

from functools import lru_cache

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol, list_currencies

from regulars.errors import DataError


@lru_cache(maxsize=256)
def exponent_of(currency: str) -> int:
    """Decimals of a currency by CLDR: JPY 0, USD 2, KWD 3. Raises DataError where there is no such currency."""
    if not is_currency(currency):
        raise DataError(f"no currency is called '{currency}'; write an ISO 4217 code such as USD, CNY or JPY")
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


def in_words(amount_minor: float, currency: str, locale: str = "en_US") -> str:
    """An amount of minor units with its currency.

    >>> in_words(81786005, "USD")
    '$817,860.05'
    """
    try:
        place = Locale.parse(locale)
    except (UnknownLocaleError, ValueError):
        raise DataError(f"no locale is called '{locale}'; write one such as en_US or zh_CN") from None
    return str(format_currency(amount_minor / 10 ** exponent_of(currency), currency, locale=place))
