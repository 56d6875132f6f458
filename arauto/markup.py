"""The page's markup as it is sent: without what HTML lets out and nobody sees."""

import re

_INDENTATION = re.compile(r"\n\s+")  # no text of the page is preformatted
_TAG = re.compile(r'<[a-z]\w*(?:\s+[^\s=>"]+(?:="[^"]*")?)+\s*/?>')
_PLAIN_VALUE = re.compile(r'="([\w.-]+)"(?=[\s>])')
_OPTION_END = re.compile(r"</option>\s*(?=<option|</select>)")
_BESIDE_BLOCK = re.compile(
    r"\n(?=</?(?:article|dd|dialog|div|dl|dt|fieldset|form|h\d|header|legend|li|link|main|meta|ol|p|"
    r"section|table|tbody|td|template|th|thead|title|tr|ul)\b)"
)


def compact(html: str) -> str:
    """Leave out indentation, quotes around plain values, and ends of options: they go without saying.

    Only tags are touched. What is put in later keeps its quotes by a character now that needs them.
    """
    unquoted = _TAG.sub(lambda tag: _PLAIN_VALUE.sub(r"=\1", tag[0]), html)
    return _BESIDE_BLOCK.sub("", _OPTION_END.sub("", _INDENTATION.sub("\n", unquoted)))
