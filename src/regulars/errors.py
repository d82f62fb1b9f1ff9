"""What can go wrong, as one tree.

    RegularsError
    ├── DataError          a file, a row, a rule or a campaign file that cannot be used as it is
    ├── DesignError        the data cannot answer the question that was asked
    ├── FitError           a model could not be fitted
    ├── BudgetError        limits that clash or cannot be held
    ├── OfferError         an offer or a voucher that must not be used so
    ├── DeliveryError      a message that could not be delivered
    └── PermissionDenied   somebody asked for what is not theirs

Every message names what is wrong, where, and the mend. Wrong arguments of a function stay `ValueError` and `TypeError`.
"""


class RegularsError(Exception):
    """Anything this package refuses to do."""


class DataError(RegularsError):
    """A file, a row, a rule or a campaign file that cannot be used as it is."""


class DesignError(RegularsError):
    """The data cannot answer the question that was asked."""


class FitError(RegularsError):
    """A model could not be fitted."""


class BudgetError(RegularsError):
    """Limits that clash or cannot be held."""


class OfferError(RegularsError):
    """An offer or a voucher that must not be used so."""


class DeliveryError(RegularsError):
    """A message that could not be delivered.

    permanent: whether trying again is useless.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class PermissionDenied(RegularsError):  # noqa: N818  (the word every web framework uses)
    """Somebody asked for what is not theirs."""
