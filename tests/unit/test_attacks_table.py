"""docs/security.md has the number of cases of each attack: that of the tests' tables."""

import re

import pytest

from arauto.settings import WORKERS
from tests.browser import test_injection, test_other_site
from tests.integration import test_attacks, test_login_attacks, test_routes, test_smuggling
from tests.support.servers import ROOT

COUNTED = {  # a part of the attack's name, and the number of cases
    "10 origins": len(test_attacks.ORIGINS) * len(test_attacks.HOSTS) * len(test_attacks.SURFACES) * 2,
    "read in two ways": len(test_smuggling.AMBIGUOUS),
    "too large": len(test_smuggling.TOO_LARGE),
    "markup and scripts": len(test_injection.PAYLOADS),
    "pages at another port": len(test_other_site.SITES) * (3 * len(test_other_site.FORMS) + 15),
    "addresses that lead elsewhere": len(test_other_site.LEADING_ELSEWHERE),
    "a cookie changed": len(test_login_attacks.changed("x" * 43)) + 3,
    "channels outside": len(test_login_attacks.OUTSIDE),
    "patterns that reach over": len(test_login_attacks.REACHING),
    "any request": test_routes.EXAMPLES * 3 * len(WORKERS),
}


def rows() -> dict[str, str]:
    """The number of cases by attack."""
    _, _, rest = (ROOT / "docs" / "security.md").read_text().partition("## What was tried")
    table, _, _ = rest.partition("\n## ")
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|.*\|$", table, re.MULTILINE))


@pytest.mark.parametrize(("attack", "times"), COUNTED.items())
def test_the_table_says_how_often(attack: str, times: int) -> None:
    (often,) = [often for name, often in rows().items() if attack in name]
    assert re.match(r"[\d,]+", often.replace(",", "")), often
    assert int(re.split(r"\D", often.replace(",", ""))[0]) == times
