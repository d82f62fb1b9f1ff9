"""Refunds: what gives money back is an order of its own, `A1 refund` for `A1`, with amounts below 0."""

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

_WORD = "refund"
_AMOUNTS = ("quantity", "amount_minor", "discount_minor")
_OF_THE_ORDER = ("order_id", "guest_id", "store_id", "ordered_at", "currency", "channel", "business_date", "hour")


def refund_of(order_id: pa.Array) -> pa.Array:
    """The ids of the refunds of orders."""
    return pc.binary_join_element_wise(order_id, _WORD, " ")


def refund_name(order_id: nw.Expr) -> nw.Expr:
    """The ids of the refunds that stand beside their orders, as an expression."""
    return nw.concat_str(order_id, nw.lit(f" {_WORD}"))


def given_back(columns: dict[str, pa.Array], is_refund: pa.Array) -> dict[str, pa.Array]:
    """The columns of orders, or of their lines, that change in rows that give money back."""
    amounts = [name for name in _AMOUNTS if name in columns]
    changed = {n: pc.if_else(is_refund, pc.negate(pc.abs(columns[n])), columns[n]) for n in amounts}
    changed["order_id"] = pc.if_else(is_refund, refund_of(columns["order_id"]), columns["order_id"])
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


def with_refunds_of(void: pa.RecordBatch) -> pa.RecordBatch:
    """What is known of orders, and after it the same of their refunds."""
    of_refunds = void.set_column(0, "order_id", refund_of(void.column("order_id")))
    return pa.Table.from_batches([void, of_refunds]).combine_chunks().to_batches()[0] if len(void) else void
