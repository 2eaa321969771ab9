"""The constraints on members of a transport document, each with its rule id.

- A pattern matches the whole text; a final line feed is part of the text.
- Lengths count code points, list sizes count entries.
- Decimals are counted in the shortest form of the number.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, cast

from marshmallow import ValidationError, validate

from bol_service.domain.identifiers import COUNTRIES, UNLOCODE_FORM
from bol_service.wire.transport_document_problem import broken, shown


class Size(validate.Length):
    """Number of characters (code points) or of list items."""

    def __call__(self, value: Any) -> Any:
        unit = "characters" if isinstance(value, str) else "entries"
        suffix = "length" if isinstance(value, str) else "items"
        count = len(value)
        if self.max is not None and count > self.max:
            raise ValidationError(
                broken(f"max-{suffix}", f"has {count} {unit}, at most {self.max} fit; shorten it")
            )
        if self.min is not None and count < self.min:
            raise ValidationError(
                broken(f"min-{suffix}", f"has {count} {unit}, at least {self.min} are needed")
            )
        return value


class Form(validate.Regexp):
    """A pattern for the whole text, and a few words that say what it looks like."""

    def __init__(self, pattern: str, wanted: str) -> None:
        super().__init__(pattern)
        self.wanted = wanted

    def __call__(self, value: Any) -> Any:
        if self.regex.fullmatch(value) is None:
            raise ValidationError(broken("pattern", f"{shown(value)} is not {self.wanted}"))
        return value


class Country(Form):
    """ISO 3166-1 alpha-2, ZZ for unknown."""

    def __call__(self, value: Any) -> Any:
        super().__call__(value)
        if value not in COUNTRIES:
            raise ValidationError(
                broken("country", f"{value!r} is no country; write an ISO 3166-1 code such as CN")
            )
        return value


class Choice(validate.OneOf):
    """A closed code list."""

    def __call__(self, value: Any) -> Any:
        if value not in self.choices:
            known = ", ".join(self.choices)
            raise ValidationError(broken("enum", f"{shown(value)} is none of {known}"))
        return value


class Between(validate.Range):
    """Bounds of a number."""

    def __call__(self, value: Any) -> Any:
        if self.min is not None and not self._above_minimum(value):
            than = "at least" if self.min_inclusive else "more than"
            raise ValidationError(broken("minimum", f"{value} is not {than} {self.min}"))
        if self.max is not None and value > self.max:
            raise ValidationError(broken("maximum", f"{value} is more than {self.max}"))
        return value

    def _above_minimum(self, value: Any) -> bool:
        return bool(value >= self.min if self.min_inclusive else value > self.min)


class Decimals(validate.Validator):
    """At most so many decimals in the number's shortest form (C.2 rule 16)."""

    def __init__(self, places: int) -> None:
        self.places = places

    def __call__(self, value: Any) -> Any:
        exponent = Decimal(repr(value)).normalize().as_tuple().exponent
        if -cast(int, exponent) > self.places:
            raise ValidationError(
                broken("C2.16", f"{value!r} has more than {self.places} decimals; round it")
            )
        return value


NO_BREAK: Final = r"[^\n\r\u2028\u2029]"
TRIMMED: Final = Form(rf"\S(?:{NO_BREAK}*\S)?", "one line without white space at its ends")
UNBROKEN: Final = Form(r"\S+", "a code without white space")
COUNTRY: Final = Country(r"[A-Z]{2}", "a country code of two capital letters")
CURRENCY: Final = Form(r"[A-Z]{3}", "a currency code of three capital letters (ISO 4217)")
LOCODE: Final = Form(UNLOCODE_FORM, "a UN/LOCODE such as CNCQI")
EMAIL: Final = Form(rf"{NO_BREAK}+@\S+", "an e-mail address")
FOUR_DIGITS: Final = Form(r"[0-9]{4}", "a number of four digits")
