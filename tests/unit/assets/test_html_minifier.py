"""The HTML minifier: shorter markup that is parsed to the same document."""

from html.parser import HTMLParser

import pytest
from markupsafe import escape

from arauto.assets.html_minifier import compact

PAGE = """<!doctype html>
<html lang="pt-BR">
  <script type="application/json" id="config">
    {"word":"lang=\\"en\\" \\u003cb id=\\"a\\"\\u003e","a":"x=\\"y\\""}</script>
  <form class="filter wide" method="post" action="publish" inert>
    <input name="filter" value=""
           placeholder="severity>=error id="> a="b" </input>
    <select><option value="one">1</option>
      <option>2</option></select>
    <svg viewBox="0 0 1 1"><circle r="3"/><path d="M1"/></svg>
    <p title='x="y"'>it says lang="en"</p>
  </form>
</html>"""


class Read(HTMLParser):
    """The contents of a page without spaces: its tags, their attributes and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("body", "html", "option", "p", "li", "td", "tr"):  # their end tags may be omitted
            self.found.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.found.append(data.strip())


def test_it_says_the_same_and_is_shorter() -> None:
    small = compact(PAGE)
    assert Read(small).found == Read(PAGE).found
    assert "<html lang=pt-BR>" in small
    assert '<input name=filter value=""' in small
    assert "<option value=one>1<option>2</select>" in small
    assert "\n " not in small


@pytest.mark.parametrize(
    "value", ["", "a b", "a=b", "a'b", "a`b", "a>b", "<b", "a/", 'a"b', "a&b", "ana\u2003"]
)
def test_a_value_that_is_not_plain_keeps_its_quotes(value: str) -> None:
    html = f'<a title="{escape(value)}">a</a>'
    assert compact(html) == html


@pytest.mark.parametrize(
    ("html", "small"),
    [
        ("<ul><li>a</li>\n<li>b</li>\n</ul>", "<ul><li>a<li>b</ul>"),
        ("<div><p>a</p>\n  <p>b</p>\n</div>", "<div><p>a<p>b</div>"),
        ("<p>a</p>\n<b>c</b>", "<p>a</p><b>c</b>"),
        ("<p>a</p>\nand more", "<p>a</p>and more"),
        ("<tr><th>a</th><td>b</td></tr></tbody>", "<tr><th>a<td>b</tbody>"),
        ("<select><option>a</option>\n</select>", "<select><option>a</select>"),
    ],
)
def test_an_end_goes_only_where_the_next_tag_says_it(html: str, small: str) -> None:
    assert compact(html) == small


def test_only_spaces_beside_a_block_go() -> None:
    assert compact("<p>a\n  <b>b</b>\n  c\n</p>\n  <p>d") == "<p>a\n<b>b</b>\nc<p>d"
    assert compact("<b>a</b>\n  <pre-fix>") == "<b>a</b>\n<pre-fix>"
