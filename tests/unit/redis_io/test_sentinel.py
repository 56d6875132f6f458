"""The master by the answers of Sentinels, and the time since which the former one is in doubt."""

from math import inf

from arauto.redis_io.redis_url import SentinelUrl
from arauto.redis_io.sentinel import FRESH, SPREAD, Agreement, Answer

OLD, NEW = ("10.0.0.1", 6379), ("10.0.0.2", 6379)


def test_the_higher_epoch_decides() -> None:
    agreement = Agreement(3)
    assert agreement.take("a", Answer(1, OLD, 10.0)) is None
    assert agreement.take("b", Answer(2, NEW, 10.1)) is not None
    assert agreement.master == NEW
    assert agreement.take("c", Answer(1, OLD, 10.2)) is None  # it does not know the new master yet
    assert agreement.master == NEW


def test_the_former_master_is_in_doubt_from_when_a_majority_last_named_it() -> None:
    agreement = Agreement(3)
    for sentinel in "abc":
        agreement.take(sentinel, Answer(1, OLD, 10.0))
    for second in range(11, 60):  # the others cannot be reached, and may have another master
        agreement.take("a", Answer(1, OLD, float(second)))
    assert agreement.take("b", Answer(2, NEW, 60.0)) == 10.0 - SPREAD
    assert agreement.master == NEW


def test_what_was_never_sure_is_in_doubt_from_the_beginning() -> None:
    agreement = Agreement(3)
    agreement.take("a", Answer(1, OLD, 10.0))
    assert agreement.take("b", Answer(2, NEW, 11.0)) == -inf


def test_a_sentinel_that_is_gone_does_not_decide_for_ever() -> None:
    agreement = Agreement(3)
    agreement.take("a", Answer(9, OLD, 10.0))
    assert agreement.take("b", Answer(0, NEW, 10.0 + FRESH - 1)) is None
    assert agreement.take("b", Answer(0, NEW, 10.0 + FRESH)) is not None  # for example after a reset
    assert agreement.master == NEW


def test_a_majority_is_right_against_one_that_stays_alone() -> None:
    agreement = Agreement(3)
    for second in (10.0, 11.0, 12.0, 13.0, 14.0):
        agreement.take("a", Answer(5, OLD, second))
        agreement.take("b", Answer(5, OLD, second))
        agreement.take("of another deployment", Answer(99, NEW, second))
        assert agreement.master == (NEW if second < 10.0 + SPREAD else OLD)


def test_the_address_of_sentinels_is_read_as_others_write_it() -> None:
    user = ":".join(("u", "p%40"))
    url = f"rediss+sentinel://{user}@h1,[::1]:7/the%20name/3?ssl_cert_reqs=none&sentinel_password=x&client_name=n"
    read = SentinelUrl.of(url)
    assert read is not None
    assert read.name == "the name"
    assert read.nodes == {
        place: f"rediss://{':x'}@{place}?ssl_cert_reqs=none" for place in ("h1:26379", "[::1]:7")
    }
    assert read.redis_url == f"rediss://{user}@h1:26379/3?ssl_cert_reqs=none&client_name=n"
    assert "p%40" not in repr(read)
    assert SentinelUrl.of("redis://h/0") is None
