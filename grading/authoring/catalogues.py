"""What there is to translate of code: all sentences that students meet, in gettext's files."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterable, Iterator, Mapping

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from grading.source import Assignment
from grading.source.catalogue import CATALOGUES

# What is called with a message as its first argument.
KEYWORDS = ["Finding", "Wrong", "Unreadable", "UnknownZone", "saying"]
KEYWORDS += ["check", "check_each", "_note", "_", "sentence", "WireError", "ChannelError"]
HEAD = """\
# How sentences are translated stands in docs/translating.md.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: {language}\\n"
"""

Messages = Mapping[str, list[str]]  # and where each stands


def messages_in(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return the messages in modules and templates, with the files that they stand in."""
    found: dict[str, list[str]] = {}
    for path, data in files.items():
        for message in said_in(data) if path.endswith(".py") else shown_in(data):
            places = found.setdefault(message, [])
            places += [] if path in places else [path]
    return found


def said_in(module: bytes) -> list[str]:
    """Return the messages of a module, in their order."""
    calls = [node for node in ast.walk(ast.parse(module)) if isinstance(node, ast.Call)]
    found = [
        (first.lineno, first.col_offset, first.value)
        for call in calls
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in KEYWORDS and call.args
        if isinstance(first := call.args[0], ast.Constant) and isinstance(first.value, str)
    ]
    return [message for _, _, message in sorted(found)]


def shown_in(template: bytes) -> list[str]:
    """Return the messages of a template, in their order."""
    found = extract("jinja2.ext:babel_extract", io.BytesIO(template), dict.fromkeys(KEYWORDS))
    return [str(message) for _, message, *_ in found if message]


def of_engine() -> dict[str, list[str]]:
    """Return what the engine says to students."""
    package = CATALOGUES.parent
    paths = [*sorted(package.rglob("*.py")), *sorted(package.glob("feedback/*.j2"))]
    own = [path.relative_to(package.parent) for path in paths if not path.is_symlink()]
    names = [str(path) for path in own if "kit" not in path.parts]  # copies, of an own course
    return messages_in({name: (package.parent / name).read_bytes() for name in names})


def of_assignment(assignment: Assignment) -> dict[str, list[str]]:
    """Return what an assignment says: of mistakes, and what its tests and their modules say."""
    found: dict[str, list[str]] = {}
    known = of_engine()
    for source in assignment.notebooks.values():
        for version in source.versions:
            if version.is_mistake:
                place = f"{version.function}.{version.name}"
                places = found.setdefault(version.sentence, [])
                places += [] if place in places else [place]
        names = set(re.findall(r"\w+", "\n".join(source.answers.values())))
        for test, text in source.tests.items():
            for kind in kinds_in(text):
                if kind not in names and kind not in known:
                    found.setdefault(kind, []).append(test)
        modules = assignment.modules.reached_from(source.tests.values())
        found |= messages_in(dict(sorted(modules.items())))
    return found


def kinds_in(test: str) -> Iterator[str]:
    """Yield the kinds of check to which a test gives points."""
    for node in ast.walk(ast.parse(test)):
        table = node.value if isinstance(node, ast.keyword) and node.arg == "points" else None
        if isinstance(table, ast.Dict):
            yield from (str(key.value) for key in table.keys if isinstance(key, ast.Constant))


def updated(messages: Messages, data: bytes, language: str) -> bytes:
    """
    Return a .po file with just these messages, and what it said of them before.

    Parameters
    ----------
    messages : mapping
    data : bytes
        The file as it was; b"" for a new one.
    language : str
    """
    before, after = read_po(io.BytesIO(data)), Catalog()
    head, blank, _ = data.decode().partition("\n\n")
    for message, places in messages.items():
        old = before.get(message)
        after.add(
            message,
            old.string if old else "",
            locations=[(place, 1) for place in places],
            flags=old.flags if old else (),
            user_comments=old.user_comments if old else (),
        )
    written = io.BytesIO()
    write_po(written, after, width=0, omit_header=True, include_lineno=False)
    head = head if blank else HEAD.format(language=language).strip()
    return f"{head}\n\n".encode() + written.getvalue()


def stale_messages(messages: Messages, data: bytes) -> Iterator[str]:
    """Yield what a translator has to do, a line for each message of a .po file."""
    known = {str(message.id): message for message in read_po(io.BytesIO(data)) if message.id}
    for message in messages:
        old = known.get(message)
        if old is None or not old.string or old.fuzzy:
            yield f'"{message}" is not translated yet'
        else:
            yield from wrong_gaps(message, str(old.string))
    for message in known.keys() - messages.keys():
        yield f'"{message}" is not said any more'


def wrong_gaps(message: str, translated: str) -> Iterable[str]:
    """Yield what is wrong with the gaps of a translation, if anything."""
    wanted, found = (set(re.findall(r"{(\w*)", text)) for text in (message, translated))
    if wanted != found:
        yield f'"{message}": its translation has other gaps: {", ".join(sorted(found))}'
