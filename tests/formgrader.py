"""One Jupyter server in a scratch course, and its formgrader in headless Chromium."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import View

TOKEN = "only-for-this-test"
SERVER = ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]  # 0: any free port
BIN = Path(sys.executable).parent


@contextmanager
def jupyter_server(root: Path, env: dict[str, str]) -> Iterator[str]:
    """Start a Jupyter server in a course; yield its address."""
    server = subprocess.Popen(
        [BIN / "jupyter", "server", "--no-browser", "--allow-root", *SERVER],
        cwd=root,
        env={**env, "JUPYTER_TOKEN": TOKEN},
        stderr=subprocess.PIPE,
        text=True,
    )
    log = []
    for line in server.stderr:  # ends when the server does
        log.append(line)
        if found := re.search(r"http://127\.0\.0\.1:[0-9]+", line):
            break
    else:
        pytest.fail("".join(log))
    # What nobody reads would stop the server in the end.
    reader = threading.Thread(target=log.extend, args=[server.stderr])
    reader.start()
    try:
        yield found[0]
    finally:
        server.terminate()
        server.wait()
        reader.join()
    assert "Traceback" not in "".join(log)


def instructors_environment(home: Path) -> dict[str, str]:
    """Return the environment of an instructor who keeps Jupyter's own files in `home`."""
    kinds = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return {**os.environ, **{kind: str(home / kind) for kind in kinds}}


def press(view: View, address: str, page: str, row: str, button: str) -> str:
    """Press a button in the row of an assignment or a student; return what the page says then."""
    view.open(f"{address}/formgrader/{page}?token={TOKEN}")
    name = view.page.locator("td", has_text=re.compile(rf"^\s*{re.escape(row)}\s*$"))
    # no click at a place: the table is sorted when its rows are there, and they move
    view.page.locator("tr", has=name).locator(f".{button} a").first.dispatch_event("click")
    said = view.page.locator(".modal.show .modal-body, .modal.in .modal-body").first
    said.wait_for()
    return said.inner_text()
