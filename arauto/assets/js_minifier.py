"""Shortens scripts further than the minifier: constants that are used once, and members with long names."""

import re
from collections import Counter

_CONSTANT = re.compile(
    r'^const ([A-Z][A-Z_]+) = (\d[\d_]*(?:\.\d+)?(?:e\d+)?|"[^"\\\n]*");.*\n', re.MULTILINE
)
_SCOPE = re.compile(r"^export const \S+ = \(\(\) => \{\n", re.MULTILINE)
_MEMBER = re.compile(r"(?<![.\\])(\?)?\.([a-z]+[A-Z]\w*)\b")  # but not after a spread, nor in a regex
_PATTERN = re.compile(r"^( *)const (?=[\[{])", re.MULTILINE)
_WORTH = 10  # bytes that a name has to save


def inline_constants(module: str) -> str:
    """Inline a number or text that the module uses once."""
    for found in _CONSTANT.finditer(module):
        name, value = found.groups()
        rest = module.replace(found[0], "")
        member = rf"[.#$]{name}\b|\b{name}\s*:|(?<!\$)[{{,]\s*{name}\s*[,}}]"
        if len(re.findall(rf"\b{name}\b", rest)) == 1 and not re.search(member, rest):
            module = re.sub(rf"\b{name}\b", value, rest)
    return module


def keep_order(script: str) -> str:
    """Use ``let`` for destructuring declarations.

    The minifier joins declarations of one kind and puts destructuring ones first, even if they depend on the
    declarations before them.
    """
    return _PATTERN.sub(r"\1let ", script)


def name_members(script: str) -> str:
    """Give short names to the members that a joined script uses often: ``a.textContent`` becomes ``a[b]``.

    Only those of two words or more: none of our texts and regular expressions has such a word after a dot.
    """
    scope = _SCOPE.search(script)
    if not scope:
        return script
    uses = Counter(name for _, name in _MEMBER.findall(script))
    often = {
        name: f"member_{name}" for name, count in uses.items() if count * (len(name) - 2) - len(name) > _WORTH
    }
    bound = "".join(f'const {variable} = "{name}";\n' for name, variable in often.items())

    def named(found: re.Match[str]) -> str:
        optional, name = found.groups()
        return f"{'?.' if optional else ''}[{often[name]}]" if name in often else found[0]

    return script[: scope.end()] + bound + _MEMBER.sub(named, script[scope.end() :])
