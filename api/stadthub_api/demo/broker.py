"""The demo's MQTT broker and the simulator that publishes to it, in a thread of their own: the only door to amqtt."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from amqtt.broker import Broker
from amqtt.client import MQTTClient
from amqtt.errors import AMQTTError, BrokerError, ClientError, MQTTError, NoDataError, ProtocolHandlerError

from stadthub_api.demo.city import devices
from stadthub_api.demo.uplinks import EVERY, faulty, topic, uplink

HOST = "127.0.0.1"

#: How many messages of the faulty feed come while each device sends one.
FAULTY_A_ROUND = 12

#: What amqtt raises when a connection ends; it has no common root.
TROUBLE = (AMQTTError, BrokerError, ClientError, MQTTError, NoDataError, ProtocolHandlerError, OSError)

#: Seconds that a message may take, that pass before a new connection, and that connections have to close at the end.
PATIENCE, AGAIN, CLOSING = 10.0, 1.0, 0.1

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
        except TROUBLE as error:
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
        try:
            while True:
                # A machine that has slept finds its connections dead.
                with contextlib.suppress(*TROUBLE):
                    await self._publish()
                await asyncio.sleep(AGAIN)
        finally:
            await broker.shutdown()
            # amqtt closes its connections without waiting for it.
            await asyncio.sleep(CLOSING)

    async def _publish(self) -> None:
        """Publish what the devices send, as long as the connection lasts."""
        client = MQTTClient(client_id="musterstadt", config={"auto_reconnect": False})
        try:
            await client.connect(f"mqtt://simulator:@{HOST}:{self.port}")
            for when, name, body in timetable(self._clock):
                await asyncio.sleep(max(0.0, when - self._clock()))
                await asyncio.wait_for(client.publish(name, body(), qos=1), PATIENCE)
        finally:
            with contextlib.suppress(*TROUBLE):
                await client.disconnect()


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
            yield when, topic(device), partial(uplink, device, when)
            fault = number * FAULTY_A_ROUND // len(fleet)
            if fault != (number - 1) * FAULTY_A_ROUND // len(fleet):
                name, body = faulty(fault, when)
                yield when, name, partial(bytes, body)
        number += 1
