"""Field errors: what is wrong in a field, in English or Chinese."""

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
    "union_tag_invalid": "只能是 {expected_tags}",
    "union_tag_not_found": "缺少 {discriminator}",
    "datetime_type": "须为带时区的 ISO 8601 时间",
    "datetime_parsing": "须为带时区的 ISO 8601 时间",
    "datetime_from_date_parsing": "须为带时区的 ISO 8601 时间",
    "timezone_aware": "时间须带时区，例如 2026-11-01T12:30:00+08:00",
    "int_from_float": "须为整数",
    "int_parsing_size": "数值过大",
}


def in_words(found: dict[str, Any], language: str) -> str:
    """A field's error as a sentence. What was sent is never repeated."""
    if found["type"] == "string_pattern_mismatch":
        words = "Has characters that are not allowed"
    else:
        words = str(found["msg"]).removeprefix("Value error, ")
    if language != "zh":
        return words
    known = _CHINESE.get(found["type"])
    return known.format(**found.get("ctx", {})) if known else f"格式不正确（{words}）"
