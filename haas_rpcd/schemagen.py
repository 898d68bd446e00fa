"""The files that are generated from the code that they describe: schemas, and command lines.

``python -m haas_rpcd.schemagen DIR`` writes them into a checkout. They are checked in, because the
console, other clients and people read them without a daemon.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

import haas_rpcd.methods  # noqa: F401 - declares the API
from haas_rpcd.config import Credential, Settings
from haas_rpcd.drivers.switch import commandlines
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.rpc import openrpc
from haas_rpcd.site import Site


def files() -> dict[str, str]:
    """Return the text of each file, by its path in the checkout."""
    return {
        "schemas/openrpc.json": _text(openrpc.document(METHODS)),
        "schemas/config.schema.json": _text(_schema(Settings, "haas.toml")),
        "schemas/credentials.schema.json": _text(
            _schema(dict[str, Credential], "credentials.toml")
        ),
        "schemas/site.schema.json": _text(_schema(Site, "a HaaS site file")),
        "docs/command-lines.md": commandlines.page(),
    }


def _schema(kind: Any, title: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **msgspec.json.schema(kind),
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(checkout: Path) -> None:
    """Write the files into a checkout."""
    for name, text in files().items():
        (checkout / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
