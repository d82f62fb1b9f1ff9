"""Writes the tables of contracts into docs/tables.md, between its two marks: `make docs`."""

from pathlib import Path

from regulars.tables import CONTRACTS, Column, Contract

PAGE = Path(__file__).with_name("tables.md")
BEGIN, END = "<!-- contracts: written by make docs -->\n", "<!-- end of contracts -->\n"


def section() -> str:
    """All contracts, one table each."""
    return "\n".join(_of(contract) for contract in CONTRACTS.values())


def renewed(page: str) -> str:
    """The page with its section of contracts as the code has it now."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{section()}\n{END}{rest.split(END)[1]}"


def _of(contract: Contract) -> str:
    lines = [f"### {contract.table}", "", f"{_sentence(contract.meaning)} Key: {_names(contract.key)}.", ""]
    lines += ["| column | kind | meaning | where the source has none |", "| --- | --- | --- | --- |"]
    lines += [f"| `{c.name}` | {c.kind.value} | {_meaning(c, contract)} | {_absence(c)} |" for c in contract.columns]
    lines += [f"| `{c.name}` | {c.kind.value} | {c.meaning} | worked out by the load |" for c in contract.derived]
    return "\n".join([*lines, ""])


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _names(key: tuple[str, ...]) -> str:
    return " and ".join(f"`{name}`" for name in key)


def _meaning(column: Column, contract: Contract) -> str:
    known = contract.references.get(column.name)
    more = [f"must be in {known}"] if known else []
    more += [_listed(column.words)] if column.words else []
    more += [f"{' and '.join(f'{value:g}' for value in column.nothing)} is not known"] if column.nothing else []
    return "; ".join([column.meaning, *_bounds(column), *more])


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _bounds(column: Column) -> list[str]:
    match column.least, column.most:
        case None, None:
            return []
        case least, None:
            return [f"at least {least:g}"]
        case None, most:
            return [f"at most {most:g}"]
        case least, most:
            return [f"{least:g} to {most:g}"]
    raise AssertionError


def _absence(column: Column) -> str:
    if column.is_setting:
        return "the workspace's"
    if column.default is not None:
        return f"`{str(column.default).lower()}`"
    return "stays empty" if column.is_optional else "row is rejected"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
