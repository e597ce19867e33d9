"""What was found, kept as a message; put into words where it is shown."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Words = Mapping[str, str]  # of a language, by the English


class Finding(NamedTuple):
    """
    What was found: a message, and what its {gaps} are filled with.

    A field may be a finding of its own, or a list of such. A message without
    fields has no gaps, whatever stands in it.
    """

    message: str
    fields: dict[str, Any]

    def said(self, words: Words) -> str:
        """Return the sentence; what the words lack is said in English."""
        fields = {
            name: said(each, words) for name, each in self.fields.items()
        }
        message = words.get(self.message, self.message)
        return message.format(**fields) if fields else message

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.said({})


EMPTY = ""
NOTHING = Finding(EMPTY, {})
BETWEEN = Finding(", ", {})


def said(field: object, words: Words) -> Any:
    """Return a field of a finding in words."""
    if isinstance(field, Finding):
        return field.said(words)
    if isinstance(field, list):
        return BETWEEN.said(words).join(said(each, words) for each in field)
    return field
