"""The settings of a hub: from `STADTHUB_` variables or one TOML file, variables first. Only the top of a program reads them."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator

from stadthub_schemas.authorities import GEOCODINGS
from stadthub_schemas.errors import SettingsError
from stadthub_schemas.model import Strict

PREFIX = "STADTHUB_"


def make_data_dir(folder: Path) -> None:
    """Make the folder of a hub, for its owner alone: tokens' digests, raw payloads and hidden columns lie in it. One that is there
    keeps the rights that its owner gave it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


class Settings(Strict):
    """Every setting. The variable is `STADTHUB_` and the name in capitals; lists are written with commas."""

    data_dir: Path = Field(default=Path("stadthub-data"), description="where everything is kept that the hub writes")
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=1, le=65535, description="port to listen on")
    database_url: SecretStr | None = Field(default=None, description="state database (SQLAlchemy URL); absent: SQLite in data_dir")
    lake_uri: str | None = Field(default=None, description="where the lake's tables are (file or s3 URI); absent: data_dir/lake")
    feeds_dir: Path | None = Field(default=None, description="folder of the feed files; absent: data_dir/feeds")
    site_title: str = Field(default="Stadthub", description="name of the portal")
    site_url: str | None = Field(default=None, description="address under which readers reach the portal; absent: http://host:port")
    site_contact: str = Field(default="", description="e-mail address of those who run the portal")
    site_operator: str = Field(
        default="", description="who runs the portal, with postal address: stands in the imprint and in the record of processing"
    )
    publisher_type: Literal["LocalAuthority", "RegionalAuthority", "NationalAuthority", "PublicLawBody", "Company"] = Field(
        default="LocalAuthority", description="what kind of body publishes here, for German and European catalogues"
    )
    geocoding: str = Field(
        default="",
        description="official key of the area: AGS of a municipality (8 digits), ARS (12), district (5) or state (2)",
    )
    contributor: str = Field(
        default="", pattern=r"^[A-Za-z0-9_-]{0,100}$", description="id in dcat-ap.de's list of those who deliver to GovData"
    )
    privacy_contact: str = Field(default="", description="how the data protection officer is reached")
    time_zone: str = Field(default="Europe/Berlin", description="the city's time zone: days and hours are cut in it")
    language: Literal["de", "en"] = Field(default="de", description="the language of alarms")
    alerts: SecretStr | None = Field(
        default=None, description="whom to tell of trouble: addresses of apprise with commas; ${VARIABLE} and file:/path name secrets"
    )
    alert_reminder_hours: float = Field(default=24.0, ge=0, description="when an open alarm is told again; 0: never")
    watch_seconds: float = Field(default=60.0, gt=0, description="how often it is looked whether feeds are well; two looks raise an alarm")
    metrics_from: tuple[str, ...] = Field(default=(), description="addresses that may read /metrics without a token")
    allowed_hosts: tuple[str, ...] = Field(default=(), description="hosts in private networks from which feeds may fetch")
    commit_seconds: float = Field(
        default=30.0, gt=0, description="how long accepted rows wait at most for their commit; they are visible before"
    )
    commit_rows: int = Field(default=25_000, ge=1, description="how many accepted rows make a commit at once")
    tail_seconds: float = Field(default=0.5, gt=0, description="how long an accepted row waits at most until it is visible")
    min_free_mb: int = Field(default=500, ge=0, description="below this much free disk nothing more is acknowledged")
    query_seconds: float = Field(default=30.0, gt=0, description="a query that takes longer is stopped")
    query_memory_mb: int = Field(default=2500, ge=256, description="memory of the process that runs users' SQL")
    upload_mb: int = Field(default=1000, ge=1, description="how large a file may be that is uploaded to a resource")
    threads: int = Field(default=2, ge=1, description="threads of the query engine")
    worker: str = Field(
        default="", pattern=r"^([a-z][a-z0-9-]{0,30})?$", description="name of one more worker for shared MQTT feeds; absent: the main one"
    )
    api_workers: int = Field(default=1, ge=1, description="processes that answer HTTP")
    log_format: Literal["console", "json"] = Field(default="console", description="how log lines look")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="the least important log lines shown")

    @field_validator("allowed_hosts", "metrics_from", mode="before")
    @classmethod
    def _by_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("geocoding")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if value and (not value.isascii() or not value.isdigit() or len(value) not in GEOCODINGS):
            raise ValueError("write the official key in digits only: 8 for a municipality (AGS), 12 (ARS), 5 for a district, 2 for a state")
        return value

    @field_validator("metrics_from")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ip_network(one)
            except ValueError as error:
                raise ValueError(f"{one!r} is no address or network: write 127.0.0.1 or 10.0.0.0/8") from error
        return value

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the state database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir.absolute() / 'state.sqlite'}"

    @property
    def lake(self) -> str:
        """The URI or path under which the lake's tables are."""
        return self.lake_uri or str(self.data_dir.absolute() / "lake")

    @property
    def feeds(self) -> Path:
        """The folder of the feed files."""
        return self.feeds_dir or self.data_dir / "feeds"

    @property
    def synonyms(self) -> Path:
        """The operator's own list of synonyms for the search; it need not be there."""
        return self.data_dir / "synonyms.txt"

    @property
    def url(self) -> str:
        """The address of the portal, without a slash at its end."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return (self.site_url or f"http://{host}:{self.port}").rstrip("/")


def load_settings(environment: Mapping[str, str] = os.environ, file: Path | None = None) -> Settings:
    """The settings out of `file` (or `STADTHUB_CONFIG`) and the environment; SettingsError names every mistake at once."""
    named = file or (Path(environment[f"{PREFIX}CONFIG"]) if f"{PREFIX}CONFIG" in environment else None)
    values: dict[str, object] = {}
    if named is not None:
        try:
            values.update(tomllib.loads(named.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{named.name}: {error}") from error
    for variable, value in environment.items():
        if variable.startswith(PREFIX) and variable != f"{PREFIX}CONFIG":
            values[variable.removeprefix(PREFIX).lower()] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(
            "\n".join(_sentence(str(detail["loc"][0]), detail["type"], detail["msg"]) for detail in error.errors())
        ) from error


def _sentence(name: str, kind: str, message: str) -> str:
    variable = PREFIX + name.upper()
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.5)
        return f"{variable}: there is no such setting" + (f": did you mean {PREFIX}{near[0].upper()}?" if near else "")
    return f"{variable}: {message}"
