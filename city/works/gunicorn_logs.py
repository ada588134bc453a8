"""gunicorn's own messages, through our logs: JSON, masked, no access log with its query strings."""

import logging
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped] # gunicorn ships no types


class MaskedLogger(Logger):  # type: ignore[misc] # as above
    """Hands gunicorn's messages to the root logger instead of writing them itself."""

    def setup(self, cfg: Any) -> None:
        """Drop gunicorn's own handlers."""
        del cfg
        for logger in (self.error_log, self.access_log):
            logger.handlers[:] = []
            logger.propagate = True
        self.error_log.setLevel(logging.INFO)
        self.access_log.setLevel(logging.CRITICAL)
