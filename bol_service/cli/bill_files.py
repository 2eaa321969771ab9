"""`bol bill attach` and `bol bill files`: what goes with a bill beside its transport document.

The carrier's visualisation is given when the bill is issued. What is attached here bears nobody's
signature; it travels with the original, and the platforms check size and SHA-256 on its way.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.context import Connection, reading
from bol_service.cli.lookup import find_bill
from bol_service.cli.output import Stopped, say, show, table

Json = dict[str, Any]


@click.command()
@click.argument("name", metavar="BILL")
@click.argument("file", type=parameters.file_bytes)
@reading
def attach(connection: Connection, name: str, file: bytes) -> None:
    """Attach a supporting document, a PDF (carrier or possessor). 附加文件"""
    client = connection.reader()
    attached = client.attach(find_bill(client, name), file)
    show(attached, lambda: say(f"attached: {attached['name']}, SHA-256 {attached['digest']}"))


@click.command()
@click.argument("name", metavar="BILL")
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write them into this folder; none that is there is replaced.",
)
@reading
def files(connection: Connection, name: str, save: Path | None) -> None:
    """Show the files that go with a bill, and get them. 随附文件"""
    client = connection.reader()
    bill = find_bill(client, name)
    items: list[Json] = client.get(f"/v1/bills/{bill}/files")["items"]
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for item in items:
            content = client.fetch(f"/v1/bills/{bill}/files/{item['digest']}").content
            item["file"] = str(_saved(save, item, content))
    headings = ["what", "name", "type", "bytes", "SHA-256"]
    rows = [[item[m] for m in ("role", "name", "mediaType", "size", "digest")] for item in items]
    show({"items": items}, lambda: table(headings, rows, empty="No file goes with it."))


def _saved(folder: Path, item: Json, content: bytes) -> Path:
    """Named by its digest: names come from other platforms and may be anything."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != item["digest"]:
        raise Stopped(
            "The platform sent another file",
            f"its SHA-256 is {digest}, {item['digest']} was listed",
            "Do not rely on it. Tell the operator.",
            "other_digest",
        )
    path = folder / (
        f"{digest[:16]}.pdf" if item["mediaType"] == "application/pdf" else digest[:16]
    )
    if not path.exists():
        path.write_bytes(content)
    return path


COMMANDS = (attach, files)
