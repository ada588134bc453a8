"""What the environment decides, read once a process; and where the servers actually are."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from city.errors import Unavailable
from city.works.run_record import Addresses, read_run_record

ROOT = Path(__file__).resolve().parents[2]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _named(name: str) -> AliasChoices:
    return AliasChoices(name)


class Settings(BaseSettings):
    """Every setting by the name of its environment variable; see `docs/operations.md`.

    Empty variables count as unset.
    """

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", case_sensitive=True
    )

    host: str = Field("127.0.0.1", validation_alias=_named("GREENBAY_HOST"))
    """Address that the API, the live feed and the MQTT broker listen on."""
    port: Annotated[int, Field(ge=1, le=65_000)] = Field(8000, validation_alias=_named("PORT"))
    """Port of the API and the pages; the live feed's is one more, the MQTT broker's two more, and
    the gateway's of the demo's channels three more."""
    url: str | None = Field(None, validation_alias=_named("GREENBAY_URL"))
    """Where browsers reach the pages; `http://127.0.0.1:PORT` unless set."""
    live_url: str | None = Field(None, validation_alias=_named("LIVE_URL"))
    """Where browsers reach `/live/…`; `http://127.0.0.1:` and the next port unless set."""
    database_url: str | None = Field(None, validation_alias=_named("DATABASE_URL"))
    redis_url: str | None = Field(None, validation_alias=_named("REDIS_URL"))
    mqtt_url: str | None = Field(None, validation_alias=_named("MQTT_URL"))
    """Addresses of servers; unset ones run embedded."""
    metrics_token: SecretStr | None = Field(None, validation_alias=_named("METRICS_TOKEN"))
    """Bearer token for `/metrics` from elsewhere than loopback."""
    vault_keys: SecretStr | None = Field(None, validation_alias=_named("VAULT_KEYS"))
    """Key ring of the vault as JSON (`docs/security.md`); unset: the file `keys/vault.json`."""
    demo: bool | None = Field(None, validation_alias=_named("GREENBAY_DEMO"))
    """True: the demo city also on given servers. False: not even on embedded ones."""
    var: Path = Field(ROOT / "var", validation_alias=_named("GREENBAY_VAR"))
    """Folder of this installation's data, logs, keys and `run.json`."""
    payment_channels: Path | None = Field(None, validation_alias=_named("PAYMENT_CHANNELS"))
    """File with the online channels' accounts and keys (`docs/payments.md`); unset: none, in
    the demo those of its own gateway."""
    pos_port: Annotated[int, Field(ge=1, le=65_535)] | None = Field(
        None, validation_alias=_named("POS_PORT")
    )
    """Port that POS terminals dial (`docs/pos.md`); unset: none is listened for."""
    snmp_users: SecretStr | None = Field(None, validation_alias=_named("SNMP_USERS"))
    """Users and keys for NTCIP controllers as JSON (`docs/controllers.md`); unset: none."""
    gat1049_systems: SecretStr | None = Field(None, validation_alias=_named("GAT1049_SYSTEMS"))
    """Users and passwords for signal systems as JSON (`docs/controllers.md`); unset: none."""
    gat1049_systems_port: Annotated[int, Field(ge=1, le=65_535)] | None = Field(
        None, validation_alias=_named("GAT1049_SYSTEMS_PORT")
    )
    """Port that signal systems dial; unset: none is listened for, they are dialled."""
    gat1049_port: Annotated[int, Field(ge=1, le=65_535)] | None = Field(
        None, validation_alias=_named("GAT1049_PORT")
    )
    """Port that command platforms dial (`docs/controllers.md`); unset: none is listened for."""
    gat1049_platforms: SecretStr | None = Field(None, validation_alias=_named("GAT1049_PLATFORMS"))
    """Command platforms, their passwords and what they may see, as JSON; unset: none."""
    streets: Path | None = Field(None, validation_alias=_named("GREENBAY_STREETS"))
    """File of the street network (`city/street_files.py`); unset: `streets.json` in `var`."""
    log_level: str = Field("INFO", validation_alias=_named("GREENBAY_LOG_LEVEL"))
    uplink_partitions: Annotated[int, Field(ge=1, le=64)] = Field(
        1, validation_alias=_named("UPLINK_PARTITIONS")
    )
    """Uplink streams a district. A device's stream follows from it: change it only when drained."""
    stream_limit: Annotated[int, Field(ge=1_000)] = Field(
        1_000_000, validation_alias=_named("GREENBAY_STREAM_LIMIT")
    )
    """Entries of a stream past which uplinks get 429; about 250 bytes of memory each."""
    plate_days: Annotated[int, Field(ge=1, le=3_660)] = Field(
        180, validation_alias=_named("GREENBAY_PLATE_DAYS")
    )
    """Days after its last use that a plate is kept; one that still owes or is parked stays."""
    evidence_days: Annotated[int, Field(ge=1, le=3_660)] = Field(
        30, validation_alias=_named("GREENBAY_EVIDENCE_DAYS")
    )
    """Days that the frame of a read is kept."""
    unclear_evidence_days: Annotated[int, Field(ge=1, le=3_660)] = Field(
        90, validation_alias=_named("GREENBAY_UNCLEAR_EVIDENCE_DAYS")
    )
    """Days that it is kept where a person had to look at it; never less than the others."""
    disk_free_limit_mb: Annotated[int, Field(ge=0)] = Field(
        256, validation_alias=_named("GREENBAY_DISK_FREE_LIMIT_MB")
    )
    """Free megabytes below which anything that writes gets 503."""
    api_processes: Annotated[int, Field(ge=1, le=64)] = Field(
        1, validation_alias=_named("GREENBAY_API_PROCESSES")
    )
    api_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        16, validation_alias=_named("GREENBAY_API_THREADS")
    )
    worker_concurrency: Annotated[int, Field(ge=1, le=64)] = Field(
        4, validation_alias=_named("GREENBAY_WORKER_CONCURRENCY")
    )
    """Jobs that a worker runs at a time."""

    @field_validator("url", "live_url", mode="after")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.netloc:
                raise ValueError("has to be an http:// or https:// address")
        return value

    @field_validator("var", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.absolute()

    @property
    def streets_path(self) -> Path:
        """Where the street network is."""
        return self.streets or self.var / "streets.json"

    @property
    def embedded(self) -> bool:
        """Whether every server that holds data is one of ours."""
        return self.database_url is None and self.redis_url is None

    @property
    def demo_enabled(self) -> bool:
        """Whether the demo city may exist here: on embedded servers, or where asked for."""
        return self.embedded if self.demo is None else self.demo

    @property
    def page_origin(self) -> str:
        """Origin (scheme, host, port) of the pages."""
        return _origin(self.url or f"http://127.0.0.1:{self.port}")

    @property
    def live_origin(self) -> str:
        """Origin of the live feed."""
        return _origin(self.live_url or f"http://127.0.0.1:{self.live_port}")

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies may be sent over TLS alone: where the pages are."""
        return self.page_origin.startswith("https:")

    @property
    def bind_host(self) -> str:
        """`host` as an address is written with a port: IPv6 in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def own_host(self) -> str:
        """Where processes on this machine reach what listens on `host`."""
        anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound
        return anywhere.get(self.host, self.bind_host)

    @property
    def live_port(self) -> int:
        """Port of the live feed's own process."""
        return self.port + 1

    @property
    def mqtt_port(self) -> int:
        """Port of the embedded MQTT broker."""
        return self.port + 2

    @property
    def gateway_port(self) -> int:
        """Port of the gateway that the demo city pays through."""
        return self.port + 3

    @property
    def cabinets_port(self) -> int:
        """Port (UDP) of the demo city's simulated cabinets."""
        return self.port + 4

    @property
    def gateway_origin(self) -> str | None:
        """Where the demo city's own channels are; None where it pays through others, or is not."""
        if self.payment_channels is not None or not self.demo_enabled:
            return None
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def channels_path(self) -> Path | None:
        """File of the online channels: the one that is set, or the demo's; None: no channel."""
        if self.gateway_origin is None:
            return self.payment_channels
        return self.var / "payment-channels.json"

    @property
    def notify_origin(self) -> str:
        """Where channels reach us with their notifications."""
        if self.gateway_origin is None:
            return self.page_origin
        return f"http://{self.own_host}:{self.port}"

    def database_address(self) -> str:
        """Return the database's address: the environment's, else that of the running system."""
        return self.database_url or self.addresses().database

    def addresses(self) -> Addresses:
        """Return the servers' addresses: the environment's, else those of the running system.

        Raises
        ------
        Unavailable
            Where one is not set and no supervisor has written it down.
        """
        if self.database_url and self.redis_url and self.mqtt_url:
            return Addresses(self.database_url, self.redis_url, self.mqtt_url)
        record = read_run_record(self.var)
        if record is None:
            raise Unavailable(
                "Greenbay is not running here: start it with `make run`, or set DATABASE_URL, "
                "REDIS_URL and MQTT_URL"
            )
        return Addresses(
            self.database_url or record.addresses.database,
            self.redis_url or record.addresses.redis,
            self.mqtt_url or record.addresses.mqtt,
        )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return this process's settings, built at the first call."""
    return Settings()
