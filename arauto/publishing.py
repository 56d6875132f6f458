"""Publish, and the count that comes back."""

import redis
from redis.exceptions import NoPermissionError

from arauto.redis_link import RedisLink
from arauto.words import gettext


class PublishError(Exception):
    """The message could not be published; the text says what is known of it.

    ``status`` is the HTTP status that fits.
    """

    def __init__(self, sentence: str, status: int = 503) -> None:
        super().__init__(sentence)
        self.status = status


def publish(link: RedisLink, channel: bytes, message: bytes) -> int:
    """Publish ``message`` as it is.

    :return: how many subscriptions received it, as Redis counted on this node.
    :raise PublishError: Redis is away or refuses.
    """
    pool = link.client.connection_pool
    try:
        connection = pool.get_connection()
    except redis.RedisError:
        raise PublishError(
            gettext("Redis is away: the message was not published. Try again when it is back.")
        ) from None
    # The command goes out by hand and never twice: where the answer is missing, nobody
    # knows whether it was published, and a client that retries would publish it again.
    try:
        connection.send_command("PUBLISH", channel, message)
        return int(connection.read_response())
    except redis.ResponseError as error:
        status = 403 if isinstance(error, NoPermissionError) else 502
        sentence = gettext("Redis refused the message: %(words)s", words=str(error))
        raise PublishError(sentence, status) from None
    except redis.RedisError:
        raise PublishError(
            gettext("Redis did not answer: the message may have been published or not.")
        ) from None
    finally:
        pool.release(connection)
