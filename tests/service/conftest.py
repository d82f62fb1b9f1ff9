"""The tests of the service have the shop of the till's."""

from till.conftest import house, shop, till, voucher

__all__ = ["house", "shop", "till", "voucher"]
