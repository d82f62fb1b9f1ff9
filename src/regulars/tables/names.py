"""Names: which column of a source holds which of ours, by its name.

Ours are found in any case and with any spaces; words that others use for them are only proposed.
"""

import difflib
import re
from collections.abc import Iterable

from regulars.tables.contracts import Contract, contract
from regulars.tables.mapping import From, Mapping

KNOWN: dict[str, tuple[str, ...]] = {
    "guest_id": (
        "guest", "customer", "customer_id", "household_id", "member_id", "user_id", "client_id", "customer_email", "email", "e_mail",
        "guest_email", "customer_contacts", "member", "loyalty_id", "loyalty_number", "phone", "customer_phone", "customer_name",
        "guest_name", "client", "kundennummer", "kunden_nr", "kunde", "cliente", "numero_client",
        "顾客", "会员号", "会员", "会员卡号", "会员编号", "手机号", "会员手机号", "顾客手机号", "客户", "клиент", "гость",
    ),
    "order_id": (
        "order", "order_number", "order_no", "check_id", "check_number", "check_no", "basket_id", "transaction_id", "receipt_id",
        "receipt_number", "receipt_no", "receipt", "bill_number", "bill_no", "ticket_id", "ticket_no", "ticket_number", "invoice",
        "invoice_number", "invoice_no", "sale_id", "check", "bill", "transaction", "transaction_no", "sale", "reference", "id",
        "belegnummer", "beleg_nr", "belegnr", "beleg", "bonnummer", "bon_nr", "bon", "rechnungsnummer", "rechnungs_nr", "ticket",
        "numero_de_ticket", "numéro_de_ticket", "n°_ticket", "factura", "订单号", "订单编号", "账单号", "单号", "流水号",
        "номер_заказа", "номер_чека",
    ),
    "store_id": (
        "store", "location", "location_id", "restaurant", "restaurant_name", "shop_id", "shop", "branch", "branch_name", "outlet",
        "outlet_name", "site", "store_name", "location_name", "filiale", "standort", "betrieb", "établissement", "etablissement",
        "tienda", "sucursal", "local", "门店", "门店名称", "店铺", "店铺名称", "商户名称", "торговое_предприятие",
    ),
    "ordered_at": (
        "order_date", "date_time", "date_and_time", "datetime", "opened", "opened_at", "closed_at", "order_time", "created_at", "date",
        "timestamp",
        "time", "transaction_timestamp", "transaction_date", "sale_date", "receipt_date", "bill_date", "date_created",
        "order_date_time",
        "datum", "datum_uhrzeit", "belegdatum", "verkaufsdatum", "zeitpunkt", "fecha", "fecha_hora", "date_de_vente", "data",
        "下单时间", "交易时间", "结账时间", "开单时间", "营业日期", "日期", "дата", "время_открытия",
        "invoice_date", "purchase_date", "transaction_time", "sale_time", "sold_at", "paid_at", "closed", "order_timestamp", "check_date",
        "bezahlt_am", "rechnungsdatum", "交易日期", "支付时间", "付款时间", "订单时间",
    ),
    "amount_minor": (
        "net_sales", "net_amount", "net_total", "subtotal", "sales_value", "amount", "amount_paid", "order_total", "total_amount",
        "grand_total", "total", "paid", "revenue", "total_collected", "total_money", "total_price", "line_total",
        "betrag", "umsatz", "bruttobetrag", "gesamtbetrag", "gesamt", "summe", "brutto", "importe", "importe_total",
        "montant", "montant_ttc", "total_ttc",
        "totale", "importo", "valor", "顾客实付", "订单总额", "订单金额", "实付金额", "实收金额", "实收", "实付", "金额", "сумма",
    ),
    "discount_minor": (
        "discount", "discounts", "discount_amount", "total_discount", "disc", "retail_disc", "coupon_disc", "rabatt", "nachlass",
        "remise", "descuento", "sconto", "优惠", "优惠金额", "折扣金额", "скидка",
    ),
    "item_id": (
        "item", "product_id", "sku", "dish", "dish_id", "menu_item", "item_name", "product", "product_name", "name", "artikelnummer",
        "artikel", "artikelname", "produkt", "article", "produit", "artículo", "articulo", "producto", "prodotto", "菜品",
        "菜品名称", "菜名", "商品名称", "блюдо",
        "stock_code", "stockcode", "item_code", "product_code", "plu", "商品", "品名", "beschreibung", "bezeichnung",
    ),
    "name": (
        "item_name", "product_name", "menu_item", "item", "product", "title", "display_name", "artikelname", "artikel", "produkt",
        "article", "produit", "artículo", "articulo", "producto", "菜名", "菜品名称", "商品名称", "блюдо",
        "菜品", "商品", "品名", "description", "beschreibung", "bezeichnung",
    ),
    "stores.name": ("store_name", "location_name", "restaurant_name", "branch_name", "outlet_name", "门店名称", "店铺名称"),
    "order_items.amount_minor": (
        "line_total", "line_amount", "item_total", "net_sales", "net_price", "net_amount", "subtotal", "sales_value", "amount", "total",
        "betrag", "umsatz", "summe", "importe", "montant", "importo", "实付金额", "实收金额", "小计", "菜品小计", "商品小计",
        "金额", "сумма",
    ),
    "category": (
        "department", "section", "group", "type", "menu_group", "product_category", "item_category", "warengruppe", "kategorie",
        "catégorie", "categoria", "categoría", "分类", "菜品分类", "品类",
    ),
    "quantity": ("qty", "count", "units", "menge", "anzahl", "quantité", "quantite", "cantidad", "数量", "количество"),
    "line": ("line_number", "line_no", "position", "product_id"),
    "covers": (
        "guests", "guest_count", "party_size", "number_of_guests", "pax", "personen", "gäste", "couverts", "人数",
        "就餐人数", "用餐人数",
    ),
    "channel": (
        "source", "dining_option", "order_type", "service_type", "订单类型", "订单来源", "就餐方式", "用餐方式",
    ),
    "zone": ("timezone", "time_zone", "tz"),
    "reviewed_at": ("date", "created_at", "review_date"),
    "text": ("review", "comment", "body", "评论"),
    "rating": ("stars", "score", "星级"),
    "exposed_at": ("start_date", "sent_at", "date"),
    "ends_at": ("end_date", "expires_at"),
    "redeemed_at": ("redemption_date", "used_at", "date"),
    "cost_minor": ("cost", "subsidy", "food_cost"),
    "price_minor": ("price", "list_price", "售价"),
    "birthday": ("date_of_birth", "dob", "生日"),
}  # fmt: skip
"""Words that others use for our columns, those that mean it most closely first."""
UNIT_PRICE = (
    "unit_price",
    "item_price",
    "lineitem_price",
    "price",
    "price_each",
    "einzelpreis",
    "preis",
    "stückpreis",
    "prix_unitaire",
    "precio_unitario",
    "precio",
    "prezzo",
    "单价",
    "цена",
)
"""Words for what one of a dish costs, which is paid for each of them."""
TIME = ("time", "uhrzeit", "zeit", "heure", "hora", "ora", "时间", "время")
"""Words for the time of day, where it stands in a column beside its date."""
REFUND = (
    "refund",
    "refunded",
    "return",
    "returned",
    "erstattung",
    "rückerstattung",
    "gutschrift",
    "remboursement",
    "reembolso",
    "devolución",
    "rimborso",
    "退款",
    "已退款",
    "全额退款",
    "退单",
    "退货",
    "возврат",
)
VOID = (
    "void", "voided", "cancelled", "canceled", "failed", "declined", "abgebrochen", "fehlgeschlagen", "storno", "storniert",
    "annulé", "annulée", "cancelado", "anulado", "cancelada",
    "annullato", "取消", "已取消", "已作废", "作废", "отменен", "отменён",
)  # fmt: skip
"""Words with which tills say that money was given back, and that an order never was, in small letters."""
STATES = (
    "type",
    "status",
    "state",
    "receipt_type",
    "transaction_type",
    "event_type",
    "order_status",
    "payment_status",
    "typ",
    "statut",
    "estado",
    "stato",
    "状态",
    "订单状态",
    "статус",
)
_ALIKE = 0.8
_UNIT = re.compile(r"\s*[(\[（]\s*([A-Z]{3}|\W|元|Fr\.?)\s*[)\]）]$")
"""The currency in brackets after a name, as in Total (EUR)."""


def plain(name: str) -> str:
    """A name in small letters with underscores: Net Sales, netSales and net-sales are net_sales."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[\s\-./#:\"']+", "_", _UNIT.sub("", name.strip())).lower().strip("_")


def bare(name: str) -> str:
    """A name without anything between its letters: Guest_ID and guest id are guestid."""
    return re.sub(r"[\W_]+", "", name).lower()


def ours_among(table: str, available: Iterable[str]) -> dict[str, str]:
    """Our columns that a source has: by exactly our names, or in another case and with other spaces where only one is so."""
    there = list(available)
    found: dict[str, str] = {}
    for column in contract(table).columns:
        alike = [name for name in there if bare(name) == bare(column.name)]
        if column.name in there:
            found[column.name] = column.name
        elif len(alike) == 1:
            found[column.name] = alike[0]
    return found


def has_same_names(table: str, available: Iterable[str]) -> bool:
    """Whether a source's columns already have our names: all those that the table needs."""
    found = ours_among(table, available)
    return all(column.may_be_absent or column.name in found for column in contract(table).columns)


def same_names(table: str, available: Iterable[str]) -> Mapping:
    """The mapping of a source whose columns already have our names."""
    return Mapping(
        table=table, columns={ours: From(column=name) for ours, name in ours_among(table, available).items()}
    )


def nearly(unread: Iterable[str], target: Contract, filled: Iterable[str]) -> dict[str, str]:
    """Columns of a source that were not read -> the column of ours, empty so far, that each may have been meant for."""
    open_ones = [column.name for column in target.columns if column.name not in set(filled)]
    return {name: ours for name in unread if (ours := _meant(name, open_ones)) is not None}


def _meant(name: str, ours: list[str]) -> str | None:
    said = plain(name)
    for own in ours:
        if said in (own, own.removesuffix("_minor"), own.removesuffix("_id"), *KNOWN.get(own, ())):
            return own
    by_bare = {bare(own): own for own in ours}
    close = difflib.get_close_matches(bare(name), by_bare, n=1, cutoff=_ALIKE)
    return by_bare[close[0]] if close else None
