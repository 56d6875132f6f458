"""Selectors of the styles: with hundreds of rows, the wrong kind of rule makes each frame slow."""

from tests.browser.conftest import OpenPage
from tests.support.pages import expect_live, expect_texts, view
from tests.support.redis_servers import RedisServer

# Each rule with `:has()`, and whether its subject is a row or contains rows.
RULES = """
() => {
  const rules = [];
  const subjectOf = (text) => {
    let open = [], start = 0;
    for (const [at, letter] of [...text].entries()) {
      if (letter === "(") open.push(text.slice(0, at).search(/:[a-z]+$/));
      if (letter === ")") open.pop();
      if (letter === "," && !open.length) start = at + 1;
    }
    return text.slice(start, open[0]).replace(/:not[(][^()]*[)]|:hover/g, "") || "*";
  };
  const walk = (list, outer) => {
    for (const rule of list) {
      const own = rule.selectorText;
      const whole = own?.replaceAll("&", `:is(${outer})`) ?? outer;
      for (const { index } of own?.matchAll(/:has[(]/g) ?? []) {
        const subject = subjectOf(own.slice(0, index)).replaceAll("&", `:is(${outer})`);
        const holders = [...document.querySelectorAll(subject)];
        rules.push([own, holders.some((one) => one.matches(".row") || one.querySelector(".row"))]);
      }
      walk(rule.cssRules ?? [], whole);
    }
  };
  for (const { cssRules } of document.styleSheets) walk(cssRules, ":root");
  return rules;
}
"""


def test_no_style_looks_for_something_among_all_rows(open_page: OpenPage, valkey: RedisServer) -> None:
    """The browser would search all of them for each new row."""
    page = open_page(view("a"))
    expect_live(page)
    page.wait_for_function("() => [...document.styleSheets].some(({ href }) => href?.endsWith('later.css'))")
    valkey.client.publish("a", "one")
    expect_texts(page, ["one"])
    rules = page.evaluate(RULES)
    assert len(rules) > 10
    assert [selector for selector, is_over_rows in rules if is_over_rows] == []
