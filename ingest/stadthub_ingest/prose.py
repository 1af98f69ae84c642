"""Text for readers out of HTML: no tags, no scripts, blanks made one."""

from html.parser import HTMLParser

#: What ends a line, and what is no text for a reader.
BLOCKS = frozenset(("br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table"))
SILENT = frozenset(("script", "style", "template", "head", "title"))


class _Prose(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's own signature
        self._silent += tag in SILENT
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT and self._silent > 0
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain(text: object) -> str | None:
    """The text without HTML, lines without blanks around them; None if nothing is left or it is no text."""
    if not isinstance(text, str):
        return None
    if "<" in text or "&" in text:
        prose = _Prose()
        prose.feed(text)
        prose.close()
        text = "".join(prose.parts)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line) or None
