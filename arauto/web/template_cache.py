"""A cache of compiled templates, beside Python's bytecode: see :func:`arauto.system.paths.compiled`."""

from contextlib import suppress

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from arauto.system.paths import compiled


class TemplateCache(FileSystemBytecodeCache):
    """A cache that ignores write errors: without it, templates are compiled again at each start."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):  # read-only, full, or not there
            super().dump_bytecode(bucket)


def init_template_cache(app: Flask) -> None:
    """Cache the application's compiled templates, if Python's bytecode is outside of the tree."""
    if directory := compiled():
        app.jinja_env.bytecode_cache = TemplateCache(str(directory))
