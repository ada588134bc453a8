"""Logs: one JSON object a line on standard error, with plates masked and secrets left out.

Masking is the last step before writing and covers every string of an entry: the message, values
at any depth, exception texts and tracebacks, and what libraries log. It errs on the side of
masking: text that looks like a plate is masked, whatever it is.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from city.plate_rules import MARKS, PROVINCES

REDACTED: Final = "[redacted]"

_SEPARATOR = r"[\s·•・.\-_]?"
_PLATES: Final = (
    # Province and issuing letter, then 4 to 6 characters and a mark: 京A·12345, 粤Z1234港.
    re.compile(
        rf"(?<![A-Za-z0-9])(WJ\s?[{PROVINCES}]?|民航|[{PROVINCES}民使]{_SEPARATOR}[A-Za-z]?)"
        rf"{_SEPARATOR}([0-9A-Za-z]{{4,7}}[{MARKS}]{{0,2}})(?![0-9A-Za-z])"
    ),
    # Embassy plates with the mark last (123456使, 224578领) and emergency plates (X2345应急).
    re.compile(rf"(?<![A-Za-z0-9])()([0-9A-Za-z]{{4,7}}[{MARKS}]{{1,2}})"),
    # Military: two letters and five characters with a dot, or five digits without one.
    re.compile(r"(?<![A-Za-z0-9])([A-Z]{2}[·•・])([0-9A-Z]{5})(?![0-9A-Za-z])"),
    re.compile(r"(?<![A-Za-z0-9])([A-Z]{2})([0-9]{5})(?![0-9A-Za-z])"),
    # In a URL: the Chinese character percent-encoded.
    re.compile(r"(%E[4-9](?:%[0-9A-Fa-f]{2}){2}[A-Za-z]?)((?:[0-9A-Za-z]|%[0-9A-Fa-f]{2}){4,16})"),
)
_SECRET_NAME: Final = re.compile(
    r"passw|secret|token|authorization|cookie|csrf|api[_-]?key|private[_-]?key|credential|^plate$"
    r"|plate_text|plate_number|session_id$|^pin$|sms_?code",
    re.IGNORECASE,
)
_URL_PASSWORD: Final = re.compile(r"(\w://[^\s/:@]*):[^\s/@]+@")
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")


# Identifiers and short names: nothing of what is looked for can stand in them.
_HARMLESS: Final = re.compile(r"[a-z0-9_.,-]*")


def masked_text(text: str) -> str:
    """Return `text` with everything that looks like a plate or a credential masked."""
    if _HARMLESS.fullmatch(text) is not None:
        return text
    for pattern in _PLATES:
        text = pattern.sub(lambda found: f"{found[1]}***", text)
    text = _URL_PASSWORD.sub(r"\1:***@", text)
    return _BEARER.sub(r"\1 ***", text)


def masked(value: Any) -> Any:
    """Return `value` with every string in it masked and values under secret names left out."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Mapping):
        return {
            masked_text(str(key)): REDACTED
            if _SECRET_NAME.search(str(key)) and not isinstance(item, bool | int | None)
            else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item) for item in value]
    if isinstance(value, bool | int | float | None):
        return value
    return masked_text(str(value))


def _mask_entry(_logger: WrappedLogger, _method: str, entry: EventDict) -> MutableMapping[str, Any]:
    cleaned: dict[str, Any] = masked(entry)
    return cleaned


def _as_json(_logger: WrappedLogger, _method: str, entry: EventDict) -> str:
    return orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def configure_logs(
    level: str = "INFO", *, process: str | None = None, stream: TextIO | None = None
) -> None:
    """Send this process's logs (ours and libraries') to standard error as JSON lines.

    Parameters
    ----------
    level
        Least level that is written.
    process
        Name of the process, put into every entry.
    stream
        Another place than standard error.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                *([_name_process(process)] if process else []),
                _mask_entry,
                _as_json,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their INFO lines tell of every job and every migration step.
    for noisy in ("procrastinate", "alembic", "amqtt", "transitions"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def _name_process(process: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
        entry["process"] = process
        return entry

    return add
