"""Scripts and styles: sent minified and compressed, and requested again only after a change."""

import gzip
import re
import sys

import pytest
from flask import Flask

from arauto.assets.minifier import minify, pack, sources
from arauto.assets.serve import init_assets
from tests.support.http import get
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT, ArautoServer, Start

TOKEN = "a token of the test"
SCRIPT = "/static/page/main.js"
SOURCE = sources()["page/main.js"].encode()


def test_a_script_is_sent_small_and_packed(plain_arauto: ArautoServer) -> None:
    plain = get(plain_arauto, SCRIPT)
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.body.startswith(b"import{")
    assert len(plain.body) < len(SOURCE)
    packed = get(plain_arauto, SCRIPT, Accept_Encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert get(plain_arauto, SCRIPT, Accept_Encoding="gzip;q=0").body == plain.body


def test_what_has_not_changed_is_not_sent_again(plain_arauto: ArautoServer) -> None:
    first = get(plain_arauto, SCRIPT, Accept_Encoding="gzip")
    assert first.headers["cache-control"] == "no-cache"
    again = get(plain_arauto, SCRIPT, Accept_Encoding="gzip", If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_the_page_names_a_version_that_is_kept(plain_arauto: ArautoServer) -> None:
    page = get(plain_arauto, "/").body.decode()
    (script,) = re.findall(r'src="(/static/v-[0-9a-f]{12}/page/main\.js)"', page)
    kept = get(plain_arauto, script)
    assert kept.headers["cache-control"] == "max-age=31536000, immutable"
    assert kept.body == get(plain_arauto, SCRIPT).body
    older = get(plain_arauto, re.sub("v-[0-9a-f]+", "v-older", script))
    assert (older.status, older.headers["cache-control"]) == (200, "no-cache")  # a page from before a restart
    assert get(plain_arauto, "/static/v-older/nothing.js").status == 404


def test_without_the_minifier_the_sources_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minify", None)
    app = Flask(__name__, root_path=str(ROOT))
    init_assets(app, pack(minify()))
    client = app.test_client()
    assert client.get(SCRIPT).data == SOURCE
    sheets = {path.stem: path.read_bytes() for path in (ROOT / "static/css").rglob("*.css")}
    styles = client.get("/static/page.css").data
    assert styles.startswith(sheets["reset"])
    assert client.get("/static/door.css").data == sheets.pop("login")
    more = [client.get(f"/static/page/{name}.css").data for name in ("later", "topics", "topics_later")]
    assert len(styles) + sum(map(len, more)) == sum(map(len, sheets.values()))


def test_custom_properties_have_short_names_and_classes_their_own() -> None:
    small = minify()
    styles = (
        small["page.css"]
        + small["page/later.css"]
        + small["page/topics.css"]
        + small["page/topics_later.css"]
        + small["door.css"]
    )
    defined, used = (set(re.findall(rule, styles)) for rule in (r"[{;](--[\w-]+):", r"var\((--[\w-]+)"))
    scripts = "".join(path.read_text() for path in (ROOT / "static/js").rglob("*.js"))
    assert {name for name in used - defined if f'setProperty("{name}"' not in scripts} == set()
    assert max(map(len, defined)) <= len("--00")
    assert ".button--main" in styles


def test_the_page_is_sent_compressed_where_it_has_no_secret(
    plain_arauto: ArautoServer, start: Start, valkey: RedisServer
) -> None:
    plain, packed = get(plain_arauto, "/"), get(plain_arauto, "/", Accept_Encoding="gzip")
    assert (plain.headers["vary"], plain.headers.get("content-encoding")) == ("Accept-Encoding", None)
    assert (packed.headers["vary"], packed.headers["content-encoding"]) == ("Accept-Encoding", "gzip")
    assert gzip.decompress(packed.body) == plain.body
    door = start(REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN)
    page = get(door, "/", Accept_Encoding="gzip", Authorization=f"Bearer {TOKEN}")
    assert (page.status, page.headers.get("content-encoding")) == (200, None)
