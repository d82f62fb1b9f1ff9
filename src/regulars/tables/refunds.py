"""Refunds: what gives money back is an order of its own, with amounts below 0.

`A1 refund` stands beside the order A1 where the source says of A1 how much of it was given back; where it says so in rows of their
own, of which an order may have several, each is known by its time as well: `A1 refund 2026-03-02 18:00:00`.
"""

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

_WORD = "refund"
_SUFFIX = rf" {_WORD}( \d{{4}}-\d{{2}}-\d{{2}} \d{{2}}:\d{{2}}:\d{{2}})?$"
_AMOUNTS = ("quantity", "amount_minor", "discount_minor")
_OF_THE_ORDER = ("order_id", "guest_id", "store_id", "ordered_at", "currency", "channel", "business_date", "hour")


def refund_of(order_id: pa.Array, at: pa.Array | None = None) -> pa.Array:
    """The ids of the refunds of orders. at: when each was given, as the clock on the wall showed it."""
    if at is None:
        return pc.binary_join_element_wise(order_id, _WORD, " ")
    time = pc.strftime(at.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%d %H:%M:%S")
    return pc.binary_join_element_wise(order_id, _WORD, time, " ")


def refund_name(order_id: nw.Expr) -> nw.Expr:
    """The ids of the refunds that stand beside their orders, as an expression."""
    return nw.concat_str(order_id, nw.lit(f" {_WORD}"))


def order_name(order_id: nw.Expr) -> nw.Expr:
    """The ids of orders, also of those that refunds belong to, as an expression."""
    return order_id.str.replace_all(_SUFFIX, "")


def given_back(columns: dict[str, pa.Array], is_refund: pa.Array, ids: pa.Array) -> dict[str, pa.Array]:
    """The columns of orders, or of their lines, that change in rows that give money back. ids: of the refunds."""
    amounts = [name for name in _AMOUNTS if name in columns]
    changed = {n: pc.if_else(is_refund, pc.negate(pc.abs(columns[n])), columns[n]) for n in amounts}
    changed["order_id"] = pc.if_else(is_refund, ids, columns["order_id"])
    return changed | ({"is_refund": is_refund} if "is_refund" in columns else {})


def with_refunded(orders: pa.RecordBatch, amount: pa.Array) -> pa.RecordBatch:
    """Orders, and after them the refunds of those of which an amount, in minor units, was given back."""
    is_back = pc.fill_null(pc.not_equal(amount, 0), False)
    if not pc.any(is_back).as_py():
        return orders
    of, back = orders.filter(is_back), pc.negate(pc.abs(amount.filter(is_back)))
    columns = []
    for field in orders.schema:
        match field.name:
            case "order_id":
                columns.append(refund_of(of.column("order_id")))
            case "amount_minor":
                columns.append(back)
            case "discount_minor":
                columns.append(pa.array([0] * len(of), field.type))
            case "is_refund":
                columns.append(pa.array([True] * len(of), field.type))
            case name if name in _OF_THE_ORDER or name.startswith("__"):
                columns.append(of.column(name))
            case _:
                columns.append(pa.nulls(len(of), field.type))
    refunds = pa.RecordBatch.from_arrays(columns, schema=orders.schema)
    return pa.Table.from_batches([orders, refunds]).combine_chunks().to_batches()[0]
