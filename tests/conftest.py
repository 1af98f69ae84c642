"""What tests of several rooms share: real servers and databases."""

from tests.databases import database_url, postgresql_server, postgresql_url, sqlite_url
from tests.servers import mosquitto, mosquitto_tls, web_server

__all__ = ["database_url", "mosquitto", "mosquitto_tls", "postgresql_server", "postgresql_url", "sqlite_url", "web_server"]
