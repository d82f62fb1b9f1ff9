"""Wording: what is wrong in a field, in English or Chinese."""

from typing import Any

_CHINESE = {
    "missing": "缺少该字段",
    "extra_forbidden": "没有该字段",
    "int_type": "须为整数",
    "string_type": "须为文本",
    "string_unicode": "须为有效的 Unicode 文本",
    "bool_type": "须为 true 或 false",
    "list_type": "须为数组",
    "tuple_type": "须为数组",
    "dict_type": "须为对象",
    "model_type": "须为对象",
    "model_attributes_type": "须为对象",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "至多 {max_length} 个字符",
    "string_pattern_mismatch": "含有不允许的字符",
    "too_short": "至少 {min_length} 项",
    "too_long": "至多 {max_length} 项",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than": "须小于 {lt}",
    "less_than_equal": "不得大于 {le}",
    "literal_error": "只能是 {expected}",
}


def in_words(found: dict[str, Any], language: str) -> str:
    """A field's error as a sentence. What was sent is never repeated; where there is no Chinese, the English stands."""
    known = _CHINESE.get(found["type"]) if language == "zh" else None
    if known:
        return known.format(**found.get("ctx", {}))
    if found["type"] == "string_pattern_mismatch":
        return "Has characters that are not allowed"
    return str(found["msg"]).removeprefix("Value error, ")
