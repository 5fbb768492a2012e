"""Other protocols over the daemon's own connection to the broker: Hermes and Home Assistant."""

from __future__ import annotations

from ..config import EdgeConfig
from ..messages import Status
from ..protocols import hermes, homeassistant
from ..protocols.commands import Command
from ..protocols.link import Inbound
from .state import State


def guest_topics(config: EdgeConfig) -> tuple[str, ...]:
    """Return what the daemon listens to besides its own topics."""
    topics: list[str] = []
    if config.hermes is not None:
        topics.append(hermes.SAY_TOPIC)
    if config.homeassistant is not None:
        topics.append(homeassistant.birth_topic(config.homeassistant))
    return tuple(topics)


class Guests:
    """What is configured of them. Only the core thread uses it."""

    def __init__(self, state: State) -> None:
        config = state.config
        self._state = state
        self._home = config.homeassistant
        self._announced: set[str] = set()
        self._hermes: hermes.HermesReader | None = None
        if config.hermes is not None:
            limit = config.queue.max_request_bytes
            self._hermes = hermes.HermesReader(config.hermes, limit, state.publisher, self._first_character)

    def read(self, inbound: Inbound) -> Command | None:
        """Understand a message that is none of the daemon's own topics; None if nothing is to be done."""
        if self._home is not None and inbound.topic == homeassistant.birth_topic(self._home):
            if inbound.payload == homeassistant.BIRTH:
                self._state.publisher.repeat_retained()
            return None
        if self._hermes is not None and inbound.topic == hermes.SAY_TOPIC:
            return self._hermes.read(inbound)
        return None

    def announce(self, status: Status) -> None:
        """Tell Home Assistant what there is; called with every voice that is loaded."""
        if self._home is None:
            return
        publisher, topics = self._state.publisher, self._state.topics
        found = homeassistant.discovery(self._home, topics, status)
        for topic in self._announced - found.keys():
            publisher.retain_anywhere(topic, b"")
        for topic, payload in found.items():
            publisher.retain_anywhere(topic, payload)
        self._announced = set(found)

    def _first_character(self) -> str:
        voice = self._state.voice
        return voice.characters[0].name if voice else ""
