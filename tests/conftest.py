"""What tests of several rooms share: real servers."""

from tests.servers import mosquitto, mosquitto_tls, web_server

__all__ = ["mosquitto", "mosquitto_tls", "web_server"]
