"""Refusals: every reason for which a till, an operator or a guest is told no, and the words for it.

What stands in brackets is said where its facts are known.
"""

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, get_day_names
from babel.numbers import format_currency, get_currency_precision

from regulars.documents import nearest
from regulars.errors import OfferError

MOST_ECHO = 40
"""How much of what somebody typed is said back to him, in letters."""

_LOCALES = {"en": "en_US", "zh": "zh_CN"}
_CLOCKS = {"en": "d MMM y, HH:mm", "zh": "y年M月d日 HH:mm"}
_COMMAS = {"en": ", ", "zh": "、"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Words(NamedTuple):
    """One sentence in both languages."""

    en: str
    zh: str


REASONS: dict[str, Words] = {
    "voucher_not_found": Words("There is no voucher[ {code}]; check the code.", "没有找到优惠券[ {code}]，请核对券码。"),
    "code_invalid": Words(
        "This is no code[: {code}]; a printed one has 14 letters and digits, any other 4 to 32 but not 14.",
        "券码无效[：{code}]；印制的券码为14位字母和数字，其他口令为4至32位（14位除外）。",
    ),
    "code_exists": Words(
        "The code[ {code}] is taken; choose another.",
        "券码[ {code} ]已被使用，请换一个。",
    ),
    "voucher_not_active": Words(
        "The voucher[ {code}] cannot be used[: it is {state}].", "优惠券[ {code} ]当前不可用[（状态：{state}）]。"
    ),
    "voucher_expired": Words(
        "The voucher[ {code}] has expired[: it was valid until {ends_at}].",
        "优惠券[ {code} ]已过期[，有效期至{ends_at}]。",
    ),
    "voucher_not_yet_valid": Words(
        "The voucher[ {code}] is not valid yet[: it may be used from {starts_at}].",
        "优惠券[ {code} ]尚未生效[，自{starts_at}起可用]。",
    ),
    "voucher_redeemed": Words("The voucher[ {code}] has been used already.", "优惠券[ {code} ]已被使用。"),
    "voucher_reserved": Words(
        "The voucher[ {code}] is being used on another bill; finish that one or let it go first.",
        "优惠券[ {code} ]正在另一笔账单中使用，请先完成或取消该账单。",
    ),
    "voucher_cancelled": Words("The voucher[ {code}] was withdrawn.", "优惠券[ {code} ]已作废。"),
    "voucher_rolled_back": Words(
        "The voucher[ {code}] was used and refunded; it cannot be used again.",
        "优惠券[ {code} ]使用后已退款，不能再次使用。",
    ),
    "quantity_exceeded": Words("All vouchers of this offer have been used.", "该优惠已全部用完。"),
    "per_guest_exceeded": Words(
        "This guest has used the offer as often as one may[: {most}].", "该顾客使用此优惠的次数已达上限[（{most}次）]。"
    ),
    "per_day_exceeded": Words(
        "The offer has been used today as often as it may[: {most}]; try again tomorrow.",
        "该优惠今日使用次数已达上限[（{most}次）]，请明天再试。",
    ),
    "per_code_exceeded": Words(
        "The code[ {code}] has been used as often as it may[: {most}].", "券码[ {code} ]的使用次数已达上限[（{most}次）]。"
    ),
    "store_hour_exceeded": Words(
        "This store takes no more of these vouchers in this hour[: {most} is the most]; try again in the next.",
        "本店这一小时内的优惠名额已满[（{most}次）]，请下一小时再试。",
    ),
    "budget_exhausted": Words("The budget of this offer is used up.", "该优惠的预算已用完。"),
    "minimum_spend_not_met": Words(
        "The bill is too small for this offer[: it takes {minimum_minor}][, {missing_minor} more than there is].",
        "未达到最低消费[{minimum_minor}][，还差{missing_minor}]。",
    ),
    "item_not_on_bill": Words(
        "No dish this offer is for is on the bill[: {items}].", "账单中没有该优惠适用的菜品[：{items}]。"
    ),
    "no_effect": Words(
        "It would take nothing off this bill.", "该优惠对本账单没有可抵扣的金额。"
    ),
    "store_not_allowed": Words("The offer does not hold in this store[ ({store})].", "该优惠不适用于本店[（{store}）]。"),
    "store_unknown": Words("No store is called so[: {store}]; add it first.", "没有这家门店[：{store}]，请先添加。"),
    "outside_hours": Words(
        "The offer does not hold at this time[; it holds on {weekdays}][; its hours are {hours}][; here it is {at}].",
        "当前时段不可使用该优惠[，可用日：{weekdays}][，可用时段：{hours}][，门店当前时间：{at}]。",
    ),
    "not_first_order": Words("The offer is for a guest's first order.", "该优惠仅限首单使用。"),
    "guest_required": Words(
        "The offer is personal; say who the guest is, by id, phone or e-mail.",
        "该优惠限本人使用，请提供会员号、手机号或邮箱。",
    ),
    "guest_mismatch": Words("This voucher belongs to another guest.", "该优惠券属于其他顾客。"),
    "cannot_be_combined": Words("It cannot be used together[ with {other}].", "不能[与{other}]同时使用。"),
    "too_many_vouchers": Words("The bill takes no more vouchers[: {most} is the most].", "一笔账单不能使用更多优惠券[：最多{most}张]。"),
    "offer_halted": Words("This offer has been stopped for now.", "该优惠已暂停。"),
    "campaign_halted": Words("This campaign has been stopped for now.", "该活动已暂停。"),
    "store_halted": Words("This store takes no vouchers for now.", "本店已暂停使用优惠券。"),
    "currency_mismatch": Words(
        "The bill is in another currency than the offer[: {bill}, not {offer}].", "账单币种与优惠不符[：{bill}，应为{offer}]。"
    ),
    "redemption_not_found": Words("There is no such redemption[: {redemption}].", "没有找到该核销记录[：{redemption}]。"),
    "already_rolled_back": Words(
        "This redemption has been given back already[: {redemption}].", "该核销已撤销[：{redemption}]。"
    ),
    "refund_exceeds_discount": Words(
        "More cannot be given back than is left[: {asked_minor} was asked, {left_minor} is left].",
        "撤销金额超过剩余优惠[：申请{asked_minor}，剩余{left_minor}]。",
    ),
    "reservation_not_found": Words("There is no such reservation[: {reservation}].", "没有找到该预占[：{reservation}]。"),
    "reservation_expired": Words(
        "The reservation has ended[: {reservation}]; reserve again.", "预占已失效[：{reservation}]，请重新预占。"
    ),
    "till_revoked": Words("This till's key was revoked; ask for a new one.", "该收银端密钥已吊销，请申请新的密钥。"),
    "not_allowed": Words(
        "This key may not do that[ in store {store}][: it needs the scope {scope}].",
        "该密钥无权执行此操作[（门店{store}）][，需要权限{scope}]。",
    ),
    "key_reused": Words(
        "The idempotency key[ {key}] was sent before with another request; use a new key.",
        "幂等键[ {key} ]已用于另一请求，请使用新的键。",
    ),
    "key_in_flight": Words(
        "A request with the idempotency key[ {key}] is being answered; ask again in a moment.",
        "幂等键[ {key} ]的请求正在处理，请稍后再试。",
    ),
    "too_many_attempts": Words(
        "Too many wrong codes were tried; wait[ {seconds} seconds] and try again.", "尝试次数过多，请[{seconds}秒后]稍后再试。"
    ),
    "clock_wrong": Words(
        "The till's clock is wrong[: it says {at}][, but it is {now}]; set it.",
        "收银端时钟有误[：显示{at}][，实际为{now}]，请校准。",
    ),
    "halt_not_found": Words("There is no such halt in force[: {kind} {whose}].", "没有生效中的该停用[：{kind} {whose}]。"),
    "offer_not_found": Words("There is no such offer[: {offer}].", "没有找到该优惠[：{offer}]。"),
    "offer_exists": Words(
        "The offer[ {offer}] has vouchers, which hold to what was promised[: {field} cannot change]; make a new offer.",
        "优惠[ {offer} ]已发券，承诺的内容不能更改[：{field}]；请新建优惠。",
    ),
}  # fmt: skip


class Refusal(OfferError):  # noqa: N818  (the word of the trade; it is said to guests)
    """A no with its reason. code: stable, for programs. facts: what the words fill in.

    Facts that end in `_minor` are money of the `currency` among them; instants are told on the clock of the `zone` among them.

    >>> print(Refusal("minimum_spend_not_met", minimum_minor=3000, missing_minor=450, currency="CNY").words("zh"))
    未达到最低消费¥30.00，还差¥4.50。
    """

    def __init__(self, code: str, /, **facts: Any) -> None:
        if code not in REASONS:
            raise ValueError(f"no refusal is called '{code}'{nearest(code, REASONS)}; give it words in REASONS")
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return self.words("en")

    def words(self, language: str) -> str:
        """The reason as a sentence: in Chinese for zh, zh-CN and the like, in English for everybody else."""
        tongue = tongue_of(language)
        said = {name: _said(name, value, self.facts, tongue) for name, value in self.facts.items()}
        sentence: str = getattr(REASONS[self.code], tongue)
        known = re.sub(r"\[([^\[\]]*)\]", lambda part: part[1] if _names_in(part[1]) <= said.keys() else "", sentence)
        return re.sub(r"\{(\w+)\}", lambda name: said[name[1]], known)


def tongue_of(language: str) -> str:
    """The one of our languages that serves a reader of this one (BCP 47)."""
    return "zh" if language.casefold().split("-")[0].split("_")[0] == "zh" else "en"


@lru_cache(maxsize=4096)
def money(amount_minor: int, currency: str, language: str) -> str:
    """An amount as people read it.

    >>> money(1250, "KWD", "en"), money(1250, "CNY", "zh")
    ('KWD1.250', '¥12.50')
    """
    amount = Decimal(amount_minor).scaleb(-_precision(currency))
    return str(format_currency(amount, currency, locale=_LOCALES[tongue_of(language)]))


def shown(text: str) -> str:
    """What somebody typed, safe to say back: short, on one line, nothing hidden in it."""
    seen = "".join("�" if unicodedata.category(char)[0] == "C" else char for char in text[:MOST_ECHO])
    return " ".join(seen.split())


def _names_in(part: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", part))


@lru_cache(maxsize=256)
def _precision(currency: str) -> int:
    return int(get_currency_precision(currency))


def _said(name: str, value: Any, facts: dict[str, Any], tongue: str) -> str:
    if isinstance(value, dt.datetime):
        return _time(value, facts.get("zone"), tongue)
    if name.endswith("_minor") and "currency" in facts:
        return money(value, facts["currency"], tongue)
    if name == "weekdays":
        names = get_day_names("wide", locale=_LOCALES[tongue])
        return _COMMAS[tongue].join(str(names[_DAYS.index(day)]) for day in value)
    if isinstance(value, tuple | list):
        return _COMMAS[tongue].join(shown(str(one)) for one in value[:10])
    return shown(str(value))


def _time(instant: dt.datetime, zone: str | None, tongue: str) -> str:
    said = format_datetime(instant, _CLOCKS[tongue], tzinfo=ZoneInfo(zone or "UTC"), locale=_LOCALES[tongue])
    return str(said) if zone else f"{said} UTC"
