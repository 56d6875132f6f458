import os

import pytest

from arauto.settings import SETTINGS, Settings, SettingsError, read, unknown_settings


def test_nothing_set_means_the_defaults() -> None:
    settings = read({})
    assert settings.channels == ("sistema_alertas", "noticias")
    assert (settings.host, settings.port, settings.worker) == ("127.0.0.1", 8000, "gevent")
    assert settings.redis_url == ""


def test_an_empty_variable_means_the_default() -> None:
    assert read({"PORT": "", "ARAUTO_CHANNELS": ""}) == read({})


def test_values_are_read() -> None:
    settings = read({"PORT": "80", "ARAUTO_CHANNELS": " a, b c ,,", "ARAUTO_ORIGINS": "https://A.example"})
    assert settings.port == 80
    assert settings.channels == ("a", "b c")
    assert settings.origins == {"https://a.example"}


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://josé.example", "https://xn--jos-dma.example"),
        ("https://jose\u0301.EXAMPLE:443", "https://xn--jos-dma.example"),
        ("https://XN--jos-dma.example", "https://xn--jos-dma.example"),
        ("https://straße.example:8443", "https://xn--strae-oqa.example:8443"),
        ("http://例え.テスト:80", "http://xn--r8jz45g.xn--zckzah"),
        ("http://[2001:DB8::1]:8000", "http://[2001:db8::1]:8000"),
    ],
)
def test_origins_are_kept_as_browsers_say_them(written: str, origin: str) -> None:
    assert read({"ARAUTO_ORIGINS": written}).origins == {origin}


TOKEN = "a shared token of twenty-six"


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {}", "\t{} ", "\ufeff{}", "{}\u00a0", "\u200b{}\x00"])
def test_what_nobody_sees_around_a_value_is_left_out(around: str) -> None:
    given = {
        "PORT": "80", "HOST": "0.0.0.0", "ARAUTO_WORKER": "gthread", "REDIS_URL": "redis://localhost",
        "ARAUTO_TOKEN": TOKEN, "ARAUTO_LOGIN": "redis", "ARAUTO_REDIS_CA": "/etc/ca.pem",
        "ARAUTO_CHANNELS": "a", "ARAUTO_PROTECTED": "a*", "ARAUTO_ORIGINS": "https://a.example",
        "ARAUTO_PROXIES": "10.0.0.1", "ARAUTO_PROXY_USER": "X-User", "ARAUTO_AUDIT_CHANNEL": "b",
        "ARAUTO_RECORDING": "off", "ARAUTO_TOKENS": "t.json",
    }  # fmt: skip
    assert read({name: around.format(value) for name, value in given.items()}) == read(given)


def test_a_list_may_have_several_lines() -> None:
    assert read({"ARAUTO_CHANNELS": "a,\nb c,\n"}).channels == ("a", "b c")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (name, value, f"{given} does not work: give one line: "
         "there is a line break or another invisible character within it.")
        for name, value, given in (
            ("ARAUTO_TOKEN", f"{TOKEN}\n{TOKEN}", "ARAUTO_TOKEN"),
            ("ARAUTO_SECRET", f"{TOKEN}\u200b{TOKEN}", "ARAUTO_SECRET"),
            ("REDIS_URL", "redis://local\nhost", "REDIS_URL"),
            ("HOST", "0.0.\u200b0.0", "HOST=0.0.\\u200b0.0"),
            ("ARAUTO_REDIS_CA", "/etc/\nca.pem", "ARAUTO_REDIS_CA=/etc/\\nca.pem"),
        )
    ] + [
        ("PORT", "80\u200b00", "PORT=80\\u200b00 does not work: give a whole number from 1 to 65535."),
        ("ARAUTO_PROTECTED", "a\nb", "ARAUTO_PROTECTED=a\\nb does not work: "
         "give names with commas between them, and no line break or tab within one."),
    ],
)  # fmt: skip
def test_what_nobody_sees_within_a_value_is_reported(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read({name: value})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "name",
    ["ARAUTO_PROXY_READERS", "ARAUTO_CHANNELS", "ARAUTO_RECORD", "ARAUTO_ORIGINS", "ARAUTO_AUDIT_CHANNEL",
     "ARAUTO_TOKEN", "ARAUTO_TOKENS", "REDIS_URL", "HOST"],
)  # fmt: skip
def test_a_value_is_text_in_utf8(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read({name: os.fsdecode(b"jos\xe9")})
    assert ascii(str(caught.value)) == f"'{name} does not work: give it in UTF-8.'"


def test_a_glob_that_not_every_redis_reads_alike_is_reported() -> None:
    with pytest.raises(SettingsError) as caught:
        read({"ARAUTO_RECORD": "orders.*,kept.[a-é]*"})
    assert str(caught.value) == (
        "ARAUTO_RECORD=orders.*,kept.[a-é]* does not work: "
        "give each letter by itself where a range goes from ASCII to beyond, as [a-é] does."
    )


@pytest.mark.parametrize("value", [f'"{TOKEN}"', f"'{TOKEN}'\r", '""'])
@pytest.mark.parametrize("name", ["ARAUTO_TOKEN", "ARAUTO_CHANNELS", "REDIS_URL", "PORT"])
def test_quotes_around_a_value_are_reported(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read({name: value})
    assert str(caught.value) == f"{name} is in quotes: leave them out."


def test_a_name_that_is_no_setting_is_reported() -> None:
    given = {"ARAUTO_PROTECTD": "prod.*", "ARAUTO_XYZ": "", "ARAUTO_PROTECTED": "", "PATH": ""}
    kubernetes = dict.fromkeys(["ARAUTO_SERVICE_HOST", "ARAUTO_PORT", "ARAUTO_PORT_80_TCP_ADDR"], "")
    assert list(unknown_settings(given | kubernetes)) == [
        "ARAUTO_PROTECTD is no setting: do you mean ARAUTO_PROTECTED?",
        "ARAUTO_XYZ is no setting: leave it out.",
    ]


SWITCHES = ("ARAUTO_OPEN", "ARAUTO_AUDIT_CONTENT", "ARAUTO_RECORDING", "ARAUTO_DELETE_LOGS")


@pytest.mark.parametrize(("text", "is_on"), [("on", True), ("1", True), ("off", False), ("0", False)])
def test_all_switches_understand_the_same_words(text: str, is_on: bool) -> None:
    settings = read(dict.fromkeys(SWITCHES, text))
    assert {settings.open, settings.audit_content, settings.recording, settings.delete_logs} == {is_on}


def test_names_of_others_are_none_of_our_business() -> None:
    """Kubernetes sets such variables for a service named arauto."""
    assert read({"ARAUTO_SERVICE_HOST": "10.0.0.1", "ARAUTO_PORT": "tcp://10.0.0.1:80"}) == read({})


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("PORT", "http", "a whole number from 1 to 65535"),
        ("PORT", "0", "a whole number from 1 to 65535"),
        ("PORT", "65536", "a whole number from 1 to 65535"),
        ("PORT", "٣", "a whole number from 1 to 65535"),
        ("ARAUTO_WORKERS", "-1", "a whole number from 1 to 64"),
        ("ARAUTO_WORKER", "sync", "gevent or gthread"),
        ("ARAUTO_RECORDING", "no", "on or off"),
        ("ARAUTO_OPEN", "yes", "on or off"),
        ("ARAUTO_ORIGINS", "example.org", "a list such as https://alerts.example.org"),
        ("ARAUTO_ORIGINS", "https://example.org:x", "a list such as https://alerts.example.org"),
        ("ARAUTO_ORIGINS", "https://*.example.org", "a list such as https://alerts.example.org"),
        ("ARAUTO_ORIGINS", "https://ana@example.org", "a list such as https://alerts.example.org"),
        ("ARAUTO_ORIGINS", "https://[", "a list such as https://alerts.example.org"),
        ("ARAUTO_ORIGINS", "https://example.org/", "a list such as https://alerts.example.org"),
    ],
)
def test_a_bad_value_gets_a_sentence_with_the_remedy(name: str, value: str, remedy: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read({name: value})
    assert str(caught.value) == f"{name}={value} does not work: give {remedy}."


def test_every_setting_has_one_line_of_help_and_a_name_of_its_own() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS) == len(Settings.__dataclass_fields__)
    for setting in SETTINGS:
        assert setting.name.startswith("ARAUTO_") or setting.name in (
            "REDIS_URL",
            "KAFKA_URL",
            "HOST",
            "PORT",
        )
        assert setting.help.endswith(".")
        assert "\n" not in setting.help
