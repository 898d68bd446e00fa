"""The two pages: one asks for a token, the other has the terminal. No script stands in them."""

from __future__ import annotations

from html import escape

CSS = """\
@font-face { font-family: "Roboto Mono"; src: url(/static/fonts/RobotoMono-VariableFont_wght.ttf); }
html, body { height: 100%; margin: 0; background: #101418; color: #e6e9ec;
  font-family: system-ui, sans-serif; }
main { max-width: 26rem; margin: 12vh auto; padding: 0 1rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input, button { margin: .5rem 0 1rem; padding: .6rem; border-radius: .3rem;
  border: 1px solid #4a5560; background: #1a2026; color: inherit; }
button { background: #1f5f99; border-color: #1f5f99; color: #fff; cursor: pointer; }
.error { color: #ff9d94; }
body.console { overflow: hidden; }
.textual-terminal { width: 100vw; height: 100vh; }
.closed { display: none; position: fixed; inset: 0; background: #101418e6; }
body.-closed .closed { display: block; }
"""

_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>HaaS</title>
<link rel="stylesheet" href="/page.css">
"""


def login(daemon: str, error: str = "") -> str:
    """The page that asks for a token; ``daemon`` is the URL of the one that knows it."""
    said = f'<p class="error" role="alert">{escape(error)}</p>\n' if error else ""
    return f"""{_HEAD}</head>
<body>
<main>
<h1>HaaS</h1>
{said}<form method="post" action="/login">
<label for="token">A token of {escape(daemon)}</label>
<input id="token" name="token" type="password" autocomplete="off" required autofocus>
<button>Log in</button>
</form>
<p>You get one with <code>haas-console token create LABEL</code>.</p>
</main>
</body>
</html>
"""


def terminal(websocket: str) -> str:
    """The page with the terminal; ``websocket`` is its URL."""
    return f"""{_HEAD}<link rel="stylesheet" href="/static/css/xterm.css">
<script src="/static/js/textual.js"></script>
</head>
<body class="console">
<div id="terminal" class="textual-terminal" data-session-websocket-url="{escape(websocket)}"
 data-font-size="16"></div>
<div class="closed"><main>
<p>The console has ended.</p>
<form method="get" action="/"><button>Open it again</button></form>
<form method="post" action="/logout"><button>Log out</button></form>
</main></div>
<button id="start" hidden></button>
</body>
</html>
"""
