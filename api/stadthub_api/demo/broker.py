"""The demo's MQTT broker and the simulator that publishes to it, in a thread of their own: the only door to amqtt."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

from amqtt.broker import Broker
from amqtt.client import MQTTClient
from amqtt.errors import AMQTTError

from stadthub_api.demo.city import devices
from stadthub_api.demo.uplinks import EVERY, faulty, topic, uplink

HOST = "127.0.0.1"

#: Seconds between two messages of the faulty feed.
FAULTY_EVERY = 5.0

#: amqtt keeps messages for an absent subscriber only if it has a name; the listener is on the loopback.
AUTHENTICATION = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}}


class Simulator:
    """Broker and devices. They run from `start` to `stop`."""

    def __init__(self, port: int, clock: Callable[[], float] = time.time) -> None:
        self.port = port
        self.error: str | None = None
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-broker", daemon=True)

    def start(self) -> None:
        """Start broker and devices; when it returns, the broker listens."""
        # What the library says belongs to its own log; the hub's log is for the hub.
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._thread.start()
        self._ready.wait(timeout=10)

    def stop(self) -> None:
        """Stop the devices, then the broker."""
        if self._loop is not None and self._main is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except (OSError, AMQTTError) as error:
            self.error = f"{HOST}:{self.port}: the broker of the demo has stopped: {error}"
            logging.getLogger(__name__).error("%s", self.error)
        except asyncio.CancelledError:
            return
        finally:
            self._ready.set()

    async def _live(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        listener = {"type": "tcp", "bind": f"{HOST}:{self.port}", "max_connections": 100}
        broker = Broker({"listeners": {"default": listener}, "plugins": AUTHENTICATION})
        await broker.start()
        self._ready.set()
        client = MQTTClient(client_id="musterstadt", config={"auto_reconnect": False})
        try:
            await client.connect(f"mqtt://simulator:@{HOST}:{self.port}")
            for when, name, body in timetable(self._clock):
                await asyncio.sleep(max(0.0, when - self._clock()))
                await client.publish(name, body(), qos=1)
        finally:
            with contextlib.suppress(AMQTTError, OSError):
                await client.disconnect()
            await broker.shutdown()


def timetable(clock: Callable[[], float]) -> Iterator[tuple[float, str, Callable[[], bytes]]]:
    """When which topic gets what, for ever: each device once in EVERY seconds, all evenly spread. What is late by more is left out."""
    fleet = devices()
    step = EVERY / len(fleet)
    first = int(clock() / step) + 1
    number = first
    while True:
        when = number * step
        if when >= clock() - EVERY:
            device = fleet[number % len(fleet)]
            yield when, topic(device), lambda device=device, when=when: uplink(device, when)  # type: ignore[misc]
            if int(when / FAULTY_EVERY) != int((when - step) / FAULTY_EVERY):
                name, body = faulty(int(when / FAULTY_EVERY), when)
                yield when, name, lambda body=body: body  # type: ignore[misc]
        number += 1
