"""Merchant: the store's own questions, which need no guest to be known.

sales      what came in, by store, weekday and hour
dishes     what was sold most, and what is bought together more often than by chance
"""

from regulars.merchant.dishes import DishesSold, Pair, PairsSold, Sold, dishes_sold, pairs_sold
from regulars.merchant.sales import Sales, StoreSales, sales

__all__ = ["DishesSold", "Pair", "PairsSold", "Sales", "Sold", "StoreSales", "dishes_sold", "pairs_sold", "sales"]
