"""The catalogue of errors for people: a page per code at the problem's `type`, and their index.

Each page tells in English and in 中文 what the code means, what brings it about and what to do
next. Everything is public, the same for everybody, and needs no script.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from flask import Flask, Response, current_app, url_for

from bol_service.domain import errors
from bol_service.http.codes import CATALOGUE, Code
from bol_service.http.edge import StrictBlueprint
from bol_service.http.error_words import CAUSES, CHINESE
from bol_service.http.page import page

_EXTENSION: Final = "bol-next-steps-zh"
_TITLES_ZH: Final = {refusal.code: refusal.title_zh for refusal in errors.refusals()}

blueprint = StrictBlueprint("errors", __name__, description="The catalogue of errors")

_HEAD: Final = (
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/static/errors.css">'
)


def speak_chinese(app: Flask, words: Mapping[str, str]) -> None:
    """Give the pages of `app` the portal's words, which have the law's next steps in 中文."""
    app.extensions[_EXTENSION] = words


@blueprint.get("/docs/errors")
@blueprint.response(200, description="HTML")
def error_catalogue() -> Response:
    """Every code that an answer can bear, and what to do about it."""
    rows = "".join(_row(entry) for _, entry in sorted(CATALOGUE.items()))
    body = (
        '<h1>Error codes <span lang="zh-Hans">错误代码</span></h1>'
        "<p>Each answer that is no success bears one of these codes; its <code>type</code> is the "
        "address of the code's page.</p>"
        '<table><thead><tr><th scope="col">Code</th><th scope="col">HTTP</th>'
        '<th scope="col">What it means</th><th scope="col">What to do</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    return page("Error codes", _HEAD, f"<main>{body}</main>")


@blueprint.get("/docs/errors/<string:code>")
@blueprint.response(200, description="HTML")
def error_page(code: str) -> Response:
    """What one code means, what brings it about and what to do next, in English and 中文."""
    entry = CATALOGUE.get(code)
    if entry is None:
        raise errors.NotFound(f"no error has the code {code}")
    title_zh, next_zh = _chinese(code)
    cause, cause_zh = CAUSES.get(code, ("", ""))
    english = (("Meaning", entry.title), ("Cause", cause), ("What to do next", entry.next_step))
    chinese = (("含义", title_zh), ("原因", cause_zh), ("下一步", next_zh))
    body = (
        f'<p><a href="{url_for("errors.error_catalogue")}">All codes '
        '<span lang="zh-Hans">全部代码</span></a></p>'
        f"<h1><code>{escape(code)}</code></h1>"
        f"<p>HTTP {entry.status}</p>"
        f'<section lang="en">{_told(english)}</section>'
        f'<section lang="zh-Hans">{_told(chinese)}</section>'
    )
    return page(f"{code}: {entry.title}", _HEAD, f"<main>{body}</main>")


def _row(entry: Code) -> str:
    code = escape(entry.code)
    title_zh, _ = _chinese(entry.code)
    return (
        f'<tr id="{code}"><th scope="row"><a href="/docs/errors/{code}"><code>{code}</code></a>'
        f"</th><td>{entry.status}</td><td>{escape(entry.title)}"
        f'<br><span lang="zh-Hans">{escape(title_zh)}</span></td>'
        f"<td>{escape(entry.next_step)}</td></tr>"
    )


def _chinese(code: str) -> tuple[str, str]:
    """Title and next step in 中文; empty where the application was given no words."""
    if code in CHINESE:
        return CHINESE[code]
    words = current_app.extensions.get(_EXTENSION, {})
    return _TITLES_ZH.get(code, ""), words.get(f"refusal.{code}.next", "")


def _told(rows: tuple[tuple[str, str], ...]) -> str:
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    return f"<dl>{told}</dl>"
