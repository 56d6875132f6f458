"""Removes from the page's HTML what browsers do not need."""

import re

_INDENTATION = re.compile(r"\n\s+")  # no text of the page is preformatted
_TAG = re.compile(r'<[a-z]\w*(?:\s+[^\s=>"]+(?:="[^"]*")?)+\s*/?>')
_PLAIN_VALUE = re.compile(r'="([\w.-]+)"(?=[\s>])')
_END = re.compile(  # end tags that the next tag implies
    r"</option>\s*(?=<option|</select>)|</(?:body|html)>\s*(?=</html>|\Z)|</thead>(?=<tbody)|</t[dh]>(?=<t[dh]\b|</tr>)|</tr>(?=</t)|</d[dt]>(?=<d[dt]\b|</d)|</li>(?=<li\b|</[ou]l>)|"
    r"</p>(?=<(?:div|dl|fieldset|form|h\d|ol|p|section|table|ul)\b|</(?:dialog|div|fieldset|form|li|section)>)"
)
_BLOCK = (
    r"</?(?:body|datalist|dd|dialog|div|dl|dt|fieldset|form|h\d|head|header|html|legend|li|link|main|meta|nav|ol|"
    r"option|p|script|section|table|tbody|td|template|th|thead|title|tr|ul)\b"
)
_BEFORE_BLOCK = re.compile(rf"\s+(?={_BLOCK})")
_AFTER_BLOCK = re.compile(rf'({_BLOCK}(?:[^"<>]|"[^"]*")*>)\s+')


def compact(html: str) -> str:
    """Remove indentation, quotes around plain values, and optional end tags.

    Only tags are changed. A placeholder that is replaced later has a character that keeps its quotes.
    """
    unquoted = _TAG.sub(lambda tag: _PLAIN_VALUE.sub(r"=\1", tag[0]), html)
    inline = _AFTER_BLOCK.sub(r"\1", _BEFORE_BLOCK.sub("", unquoted))
    return _INDENTATION.sub("\n", _END.sub("", inline))
