"""
Write the repository's address into the notebooks: `python -m rnn_marking.address`.

The address stands in one place, `repository:` in site/address.yaml; while it is empty, the
notebooks hold none. Links to Colab and Binder exist for repositories on GitHub.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
HERE = (
    "**Open in** JupyterLab, VS Code or any other Jupyter:"
    " unpack the folder and open this notebook."
)
ADDRESS = re.compile(r'^ADDRESS = "[^"]*"$', re.MULTILINE)
GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def repository(root: Path = ROOT) -> str:
    """Return the repository's address, "" while none is set."""
    table = yaml.safe_load((root / "site" / "address.yaml").read_text("utf-8"))
    return table["repository"] or ""


def files_address(address: str, assignment: str) -> str:
    """Return where the files of an assignment are fetched from."""
    found = GITHUB.fullmatch(address)
    if not found:
        return ""
    return f"https://raw.githubusercontent.com/{found[1]}/HEAD/release/{assignment}"


def open_in(address: str, assignment: str) -> str:
    """Return the notebook's line that says where it can be opened."""
    found = GITHUB.fullmatch(address)
    if not found:
        return HERE
    file = f"release/{assignment}/{assignment}.ipynb"
    colab = f"https://colab.research.google.com/github/{found[1]}/blob/HEAD/{file}"
    binder = f"https://mybinder.org/v2/gh/{found[1]}/HEAD?labpath={file}"
    return f"{HERE} Or at once in [Colab]({colab}) or [Binder]({binder})."


def with_address(notebook: dict, address: str, assignment: str) -> dict:
    """Return a copy of the notebook (as JSON) with this address."""
    copy = json.loads(json.dumps(notebook))
    for cell in copy["cells"]:
        text = "".join(cell["source"])
        if cell["id"] == "open-in":
            text = open_in(address, assignment)
        elif cell["id"] == "fetch":
            text = ADDRESS.sub(f'ADDRESS = "{files_address(address, assignment)}"', text)
        cell["source"] = text.splitlines(keepends=True)
    return copy


def main(root: Path = ROOT) -> None:
    """Bring every source notebook up to date."""
    address = repository(root)
    if address and not GITHUB.fullmatch(address):
        print(f"{address} is no repository on GitHub: the notebooks get no links")
    for file in sorted(root.glob("source/*/*.ipynb")):
        notebook = json.loads(file.read_text("utf-8"))
        changed = with_address(notebook, address, file.parent.name)
        if changed != notebook:
            file.write_text(json.dumps(changed, indent=1, ensure_ascii=False) + "\n", "utf-8")
            print(f"{file.name}: changed; release it again")


if __name__ == "__main__":
    main()
