"""Sixty texts that are harmless only where text stays text.

If one of them were read as markup, script, style, template, format or formula, `pwned` would be
set, an element with the id `injected` would appear, or the browser would complain of its content
policy. Each fits the shortest free text of a transport document: 35 signs.
"""

from __future__ import annotations

from typing import Final

ELEMENTS: Final = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg/onload=window.pwned=1>",
    "<svg><script>pwned=1</script></svg>",
    "<iframe srcdoc='<b id=injected>'>",
    "<object data=javascript:pwned=1>",
    "<embed src=//evil.example/x>",
    "<video src=x onerror=pwned=1>",
    "<audio src onerror=pwned=1>",
    "<details open ontoggle=pwned=1>",
    "<input autofocus onfocus=pwned=1>",
    "<select autofocus onfocus=pwned=1>",
    "<marquee onstart=pwned=1>",
    "<b id=injected>x</b>",
    "<a href=javascript:pwned=1>x</a>",
    "<math><mi id=injected>x</mi></math>",
    "<form id=injected><button>Sign",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//e.ex/>",
    "<meta http-equiv=refresh content=0>",
    "<style>body{display:none}</style>",
    "<template><b id=injected>x",
    "<ScRiPt>window.pwned=1</sCrIpT>",
    "<script/x>pwned=1</script/x>",
    "<<script>pwned=1//<</script>",
)
WAYS_OUT: Final = (
    '"><b id=injected>x</b>',
    "'><b id=injected>x</b>",
    "' autofocus onfocus=pwned=1 x='",
    '" onmouseover=pwned=1 x="',
    '" style=background:red x="',
    "` onerror=pwned=1 x=`",
    "</script><script>pwned=1</script>",
    "</textarea><b id=injected>x</b>",
    "</title><b id=injected>x</b>",
    "</option></select><b id=injected>",
    "</td></table><b id=injected>x</b>",
    "</svg><b id=injected>x</b>",
    "</time><b id=injected>x</b>",
    "--><b id=injected>x</b>",
    "]]><b id=injected>x</b>",
    "<!--<script>window.pwned=1",
    "';window.pwned=1;//",
    '");window.pwned=1;//',
    '"}],"pwned":1,"x":[{"y":"',
)
LANGUAGES: Final = (
    "{{ 7*7 }}{% raw %}#{7*7}",
    "{% include '/etc/passwd' %}",
    "<%= 7*7 %>#{7*7}*{window.pwned=1}",
    "{{constructor.constructor('1')()}}",
    "{actor}{bill}{recipient}$&",
    "%s%n%(actor)s{0}{0.__class__}",
    "javascript:window.pwned=1",
    "data:text/html,<b id=injected>",
    "=HYPERLINK(1)@SUM(1)+1",
    "+cmd|' /C calc'!A0",
    "'; DROP TABLE entries; --",
    "../../etc/passwd",
    "&lt;b id=injected&gt; &amp;",
    "&#60;b id=injected&#62;",
    "\uff1cscript\uff1ewindow.pwned=1",
    "重庆<b id=injected>货物</b>🏍️",
)
PAYLOADS: Final = (*ELEMENTS, *WAYS_OUT, *LANGUAGES)
