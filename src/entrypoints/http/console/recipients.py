"""Whom a text is to go to, as people paste it or have it in a file."""

import csv
import io
import re

from domain.errors import InvalidValue

_BETWEEN = re.compile(r"[,;\t\n]+")
# What the column with the numbers is called, without regard to letter case, spaces, - and _.
_NAMES = frozenset({"phonenumber", "phone", "mobile", "mobilephone", "cell", "cellphone", "number", "telephone"})
_DELIMITERS = ",;\t"


def pasted(text: str) -> str:
    """Numbers with commas, semicolons, tabs or lines between, with commas between."""
    return ",".join(filter(None, (each.strip() for each in _BETWEEN.split(text))))


def listed(text: str) -> str:
    """The numbers of a CSV file: of the column that is called so, or of the first. Raises `InvalidValue`."""
    head, _, _ = text.partition("\n")
    delimiter = max(_DELIMITERS, key=head.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error:
        raise InvalidValue("The file is no valid CSV.") from None
    if not rows:
        return ""
    names = [re.sub(r"[\s_-]", "", cell).casefold() for cell in rows[0]]
    column = next((index for index, name in enumerate(names) if name in _NAMES), None)
    if column is None and not any(each.isdigit() for each in names[0]):
        raise InvalidValue("The file has no column PhoneNumber.")
    numbers = rows if column is None else rows[1:]
    # Spreadsheets take what begins with + for a formula unless there is an apostrophe before it.
    return ",".join(filter(None, (row[column or 0].strip().lstrip("'") for row in numbers if len(row) > (column or 0))))
