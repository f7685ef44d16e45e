"""Puts a page together: one HTML file that loads nothing, and in which only our own scripts and styles can run.

What the page shows is data in a JSON block; scripts make elements of it and set their texts. The content security
policy names our scripts and styles by their hashes, and forbids turning strings into markup, so that a hole in either
rule is not enough to run anything that a model wrote.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["as_json_block", "render"]

_SCRIPTS = (
    *("elements.js", "amounts.js", "code.js", "graph.js", "chart.js", "tabs.js", "calls.js", "round.js", "design.js"),
    *("plot.js", "attempts.js", "bench.js", "page.js"),
)
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="flowreasoner">
<title>FlowReasoner report</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header id="top"></header>
<main id="main" tabindex="-1"><noscript>This page draws itself with a script of its own, which is switched off here.
Everything it shows is in this file, as JSON.</noscript></main>
<footer id="bottom"></footer>
<script type="application/json" id="contents">{contents}</script>
<script>{library}</script>
<script>{script}</script>
</body>
</html>
"""


def render(contents: Mapping[str, Any]) -> str:
    """Returns the page as HTML.

    Args:
        contents: What `flowreasoner_plugins.report.contents.contents` collected.
    """
    style, library, script = _file("page.css"), _library(), '"use strict";\n' + "".join(map(_file, _SCRIPTS))
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(library)} {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )
    return _PAGE.format(policy=policy, style=style, contents=as_json_block(contents), library=library, script=script)


def as_json_block(value: Any) -> str:
    """Returns a value as JSON that can stand in a script element: plain ASCII that can neither end nor nest it."""
    return json.dumps(value, separators=(",", ":")).translate(_ESCAPED)


def _library() -> str:
    """Returns the library that lays out graphs, after its licence, and without the name of a map that is not here."""
    code = _file("vendor/dagre.min.js").partition("//# sourceMappingURL=")[0]
    return f"/* dagre\n{_file('vendor/dagre.LICENSE.txt')}*/\n{code}"


def _file(name: str) -> str:
    return files("flowreasoner_plugins.report").joinpath("static", *name.split("/")).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
