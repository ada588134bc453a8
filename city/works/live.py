"""The live store: one explicit pool of connections to Redis or Valkey, raw bytes in and out."""

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

CONNECTIONS = 64
"""At most; past it a caller waits for `POOL_WAIT_S` instead of failing at once."""
POOL_WAIT_S = 2.0
CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 10.0
"""Longer than any blocking read that we issue (at most 5 s)."""
RETRIES = 1
"""A dropped idle connection is opened again once; the rest is the caller's to know about."""


def live_store(url: str, *, connections: int = CONNECTIONS) -> redis.Redis:
    """Return a client of the live store at `url` (`redis://`, `rediss://` or `unix://`).

    Threads share it. Replies are bytes. A command may run twice where its connection broke after
    sending: writes are made to bear that (streams are deduplicated by their readers, state is set
    under a guard).

    Raises
    ------
    redis.ConnectionError, redis.TimeoutError
        By its commands, where the store cannot be reached or does not answer in time.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=POOL_WAIT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), RETRIES),
        **({} if url.startswith("unix:") else {"socket_connect_timeout": CONNECT_TIMEOUT_S}),
    )
    return redis.Redis(connection_pool=pool)
