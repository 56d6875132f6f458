import pytest

from arauto.settings import SETTINGS, Settings, SettingsError, read


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
    ("written", "said"),
    [
        ("https://josé.example", "https://xn--jos-dma.example"),
        ("https://jose\u0301.EXAMPLE:443", "https://xn--jos-dma.example"),
        ("https://XN--jos-dma.example", "https://xn--jos-dma.example"),
        ("https://straße.example:8443", "https://xn--strae-oqa.example:8443"),
        ("http://例え.テスト:80", "http://xn--r8jz45g.xn--zckzah"),
        ("http://[2001:DB8::1]:8000", "http://[2001:db8::1]:8000"),
    ],
)
def test_origins_are_kept_as_browsers_say_them(written: str, said: str) -> None:
    assert read({"ARAUTO_ORIGINS": written}).origins == {said}


SWITCHES = ("ARAUTO_OPEN", "ARAUTO_AUDIT_CONTENT", "ARAUTO_RECORDING", "ARAUTO_DELETE_LOGS")


@pytest.mark.parametrize(("text", "is_on"), [("on", True), ("1", True), ("off", False), ("0", False)])
def test_all_switches_understand_the_same_words(text: str, is_on: bool) -> None:
    settings = read(dict.fromkeys(SWITCHES, text))
    assert {settings.open, settings.audit_content, settings.recording, settings.delete_logs} == {is_on}


def test_names_of_others_are_none_of_our_business() -> None:
    """Kubernetes sets such names for a service called arauto."""
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
        assert setting.name.startswith("ARAUTO_") or setting.name in ("REDIS_URL", "HOST", "PORT")
        assert setting.help.endswith(".")
        assert "\n" not in setting.help
