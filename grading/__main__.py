"""rnn-grading, and python -m grading: see cli.py."""

import atexit
import gc
import sys
from pathlib import Path
from types import ModuleType

from grading.later import Later
from grading.rooms.sandbox import start_early

# nbgrader's extensions of Jupyter's server: it imports them all, and no command here has a server.
SERVERS = ("assignment_list", "course_list", "formgrader", "validate_assignment")
LOAD = "load_jupyter_server_extension"
# nbgrader unpacks archives with these, which no command here lets it do.
ARCHIVES = "setuptools.archive_util"
UNPACK = ["unpack_archive", "unpack_tarfile", "unpack_zipfile"]
# What nbgrader and nbconvert import, and ask for something in what no command here does.
LATER = ("requests", "soupsieve")
# What marks, or runs tests; and with what it does so elsewhere, or not at all.
IN_ROOMS = (["grade"], ["check"], ["release"], ["prove"])
NO_ROOMS = ("--help", "--scheduler")


def leave_out_what_nobody_needs() -> None:
    """Let nbgrader be imported without what takes time to load, and is used by no command here."""
    servers = {f"nbgrader.server_extensions.{name}": [LOAD] for name in SERVERS}
    for module, names in {**servers, ARCHIVES: UNPACK}.items():
        sys.modules[module] = ModuleType(module)
        vars(sys.modules[module]).update(dict.fromkeys(names))
    # jsonschema does without, where they are not there: no notebook has durations and addresses
    for name in ("isoduration", "rfc3986_validator"):
        vars(sys)["modules"][name] = None
    for name in LATER:
        sys.modules.setdefault(name, Later(name))


def main() -> None:
    """Run a command."""
    try:
        Path.home()  # Jupyter looks there, too, as soon as it is imported
    except RuntimeError:
        sys.exit("Nobody knows your home folder: set HOME to a folder that can be written.")
    # What is loaded stays: to look through it for rubbish, now and at the end, takes a second.
    gc.disable()
    atexit.register(gc.freeze)
    if sys.argv[1:2] in IN_ROOMS and not any(each.startswith(NO_ROOMS) for each in sys.argv):
        start_early()  # rooms take a second to warm up, and so does what is loaded now
    leave_out_what_nobody_needs()
    from grading import cli

    gc.freeze()
    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
