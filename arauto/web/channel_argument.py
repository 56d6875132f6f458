"""The channel of a request, from its query or its path."""

from flask import abort, request

from arauto.i18n.gettext import gettext
from arauto.protocol.validation import check_name, check_shard


def requested_channel(in_path: str, needs_query: bool = False) -> bytes:
    """The channel of this request.

    Proxies merge the slashes of a path and remove dots, so ``a//b`` may arrive as ``a/b``.

    :param in_path: the name in the path, or empty.
    :param needs_query: whether the path alone is not enough.
    """
    if "shard" in request.args:
        abort(400, gettext("A sharded channel is not recorded: give a channel."))
    names = request.args.getlist("channel")
    if len(names) > 1:
        abort(400, gettext("Give one channel."))
    if in_path and names and names != [in_path]:
        abort(409, gettext("The channel in the path is not that in the query: nothing was done."))
    if in_path and needs_query and not names:
        abort(400, gettext("Give the channel as ?channel=… too: a proxy may have changed the path."))
    return check_name(names[0] if names else in_path)


def requested_shard() -> bytes | None:
    """The sharded channel of this request, ``?shard=``; ``None``: there is none."""
    names = request.args.getlist("shard")
    if len(names) + len(request.args.getlist("channel")) > 1:
        abort(400, gettext("Give one channel."))
    return check_shard(names[0]) if names else None
