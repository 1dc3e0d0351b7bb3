"""CSV that is opened in spreadsheets."""

_BEGIN_FORMULAS = frozenset("=+-@\t\r")


def cell(value: str | None) -> str:
    """Whoever opens the list must not run what people wrote: what looks like a formula begins with an apostrophe."""
    text = value or ""
    is_number = text[:1] == "+" and text[1:].isdigit()
    return f"'{text}" if text[:1] in _BEGIN_FORMULAS and text and not is_number else text
