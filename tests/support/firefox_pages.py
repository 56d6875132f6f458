"""Pages in Firefox: elements are found by label and used by mouse and keyboard; problems are collected."""

import json
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.bidi import BidiError, Result, Session
from tests.support.pages import WATCH
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

EVENTS = ("log.entryAdded", "script.message", "browsingContext.userPromptOpened")
KEYS = {"Control": "\ue009", "Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004"}  # WebDriver's names

FIND = """(selector, name) => {
  const labelled = (label, field) => [...label.childNodes].filter((part) => !part.contains(field));
  const nameOf = (element) => {
    const parts = element.labels?.[0] ? labelled(element.labels[0], element) : [element];
    return element.ariaLabel ?? parts.map((part) => part.textContent).join("").trim();
  };
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
  return [...document.querySelectorAll(selector)].filter((one) => isShown(one) && nameOf(one) === name);
}"""
IS_ON_TOP = """(element) => {
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
  const { left, top, width, height } = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}"""


class FirefoxPage:
    def __init__(self, session: Session, context: str) -> None:
        self._session = session
        self.context = context

    def goto(self, address: str) -> None:
        self._call("browsingContext.navigate", url=address, wait="complete")

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self._call("browsingContext.setViewport", viewport=size, devicePixelRatio=1)

    def come_forward(self) -> None:
        self._call("browsingContext.activate")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or of the call if it is a function; it passes through JSON."""
        script = f"(async (it) => JSON.stringify(await (it?.call ? it() : it)))({expression})"
        answer = self._run("script.evaluate", expression=script)
        return json.loads(answer.get("value", "null"))

    def expect(self, expression: str, expected: Any) -> None:
        """Wait until the expression has this value."""

        def is_so() -> bool:
            found = self.evaluate(expression)
            assert found == expected, f"{expression} is {found!r}, not {expected!r}"
            return True

        eventually(is_so)

    def expect_texts(self, selector: str, *expected: str) -> None:
        """Wait until the visible elements have these texts."""
        shown = (
            f"[...document.querySelectorAll({json.dumps(selector)})].filter((one) => one.checkVisibility())"
        )
        self.expect(f"{shown}.map((one) => one.textContent.trim())", list(expected))

    def expect_text(self, selector: str, part: str) -> None:
        """Wait until the text of the first element contains ``part``."""
        text = f"document.querySelector({json.dumps(selector)})?.textContent"

        def is_in() -> bool:
            found = self.evaluate(text)
            assert part in (found or ""), f"{selector} says {found!r}, not {part!r}"
            return True

        eventually(is_in)

    def expect_on_top(self, selector: str) -> None:
        """Wait until nothing covers the element where a person would click it."""
        self.expect(f"({IS_ON_TOP})(document.querySelector({json.dumps(selector)}))", True)

    def expect_state(self, state: str) -> None:
        self.expect("document.getElementById('status').dataset.state", state)

    def find(self, selector: str, name: str) -> Result:
        """Wait for the one visible element that has this name or label."""

        def one() -> Result:
            found = self._call_function(FIND, selector, name)["value"]
            assert len(found) == 1, f"{len(found)} times {selector} {name!r}"
            return {"sharedId": found[0]["sharedId"]}

        return eventually(one)

    def click(self, selector: str, name: str) -> None:
        """Click the middle of the element, once nothing covers it."""
        element = self.find(selector, name)
        eventually(lambda: self._call_function(IS_ON_TOP, element)["value"], why=f"nothing covers {name!r}")
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": element}}
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self._act({"type": "pointer", "id": "mouse", "actions": [move, *press]})

    def fill(self, name: str, text: str) -> None:
        """Replace the text of a field."""
        self.click("input, textarea", name)
        self.press("Control", "a")
        self.write(text)

    def choose(self, name: str, option: str) -> None:
        """Choose an option of a list by typing its first letters."""
        self._call_function("(list) => list.focus()", self.find("select", name))
        self.write(option)

    def write(self, text: str) -> None:
        self._act(_keys(*(one for key in text for one in (("keyDown", key), ("keyUp", key)))))

    def press(self, *keys: str) -> None:
        """Press these keys together."""
        values = [KEYS.get(key, key) for key in keys]
        self._act(_keys(*(("keyDown", key) for key in values), *(("keyUp", key) for key in values[::-1])))

    def screenshot(self, path: Path) -> None:
        eventually(lambda: self.evaluate("document.getAnimations().length === 0"))
        path.write_bytes(b64decode(self._call("browsingContext.captureScreenshot")["data"]))

    def _act(self, source: Result) -> None:
        self._call("input.performActions", actions=[source])

    def _run(self, method: str, **parameters: Any) -> Result:
        target = {"context": self.context}
        done = self._session.call(method, target=target, awaitPromise=True, **parameters)
        if done["type"] == "exception":
            raise BidiError(done["exceptionDetails"]["text"])
        return dict(done["result"])

    def _call_function(self, function: str, *arguments: str | Result) -> Result:
        given = [one if isinstance(one, dict) else {"type": "string", "value": one} for one in arguments]
        return self._run("script.callFunction", functionDeclaration=function, arguments=given)

    def _call(self, method: str, **parameters: Any) -> Result:
        return self._session.call(method, context=self.context, **parameters)


class FirefoxPages:
    """Opens pages that share cookies; :meth:`close` closes them and fails if one of them had a problem."""

    def __init__(self, session: Session, events: list[tuple[str, Result]]) -> None:
        self._session = session
        self._events = events
        self._events.clear()
        self._allowed: list[str] = []
        self._user_context = session.call("browser.createUserContext")["userContext"]
        watch = "(report) => { window.reportProblem = report; " + WATCH + "}"
        session.call(
            "script.addPreloadScript",
            functionDeclaration=watch,
            arguments=[{"type": "channel", "value": {"channel": "problem"}}],
            userContexts=[self._user_context],
        )

    def open(
        self,
        server: ArautoServer,
        path: str,
        *,
        width: int = 1280,
        height: int = 800,
        language: str = "en",
        allow: Sequence[str] = (),
    ) -> FirefoxPage:
        """Open a page in front of the others.

        :param allow: parts of console lines that this test provokes on purpose.
        """
        self._allowed += allow
        made = self._session.call("browsingContext.create", type="tab", userContext=self._user_context)
        page = FirefoxPage(self._session, made["context"])
        self._session.call("emulation.setLocaleOverride", contexts=[page.context], locale=language)
        page.resize(width, height)
        page.goto(server.url + path)
        return page

    def close(self) -> None:
        if self._user_context:
            self._session.call("browser.removeUserContext", userContext=self._user_context)
        self._user_context = ""
        problems = [text for text in self.reported() if not any(part in text for part in self._allowed)]
        assert problems == [], problems

    def reported(self) -> list[str]:
        """The problems that the browser has reported: errors, warnings, violations of the CSP, dialogs."""
        return list(filter(None, (_problem(event, params) for event, params in self._events)))


def _keys(*actions: tuple[str, str]) -> Result:
    return {"type": "key", "id": "keys", "actions": [{"type": kind, "value": key} for kind, key in actions]}


def _problem(event: str, params: Result) -> str | None:
    """The problem that an event reports; ``None``: it reports none."""
    if event == "log.entryAdded":
        return f"{params['type']}: {params['text']}" if params["level"] in ("error", "warn") else None
    if event == "script.message":
        return str(params["data"].get("value"))
    return f"dialog: {params['message']}"
