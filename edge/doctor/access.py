"""Access rules: what the broker refuses silently. A denied subscription is granted in words, deaf in deed.

Nothing that is sent here makes a device speak or fall silent: the messages are those that clear a retained
topic, which a daemon ignores, on names that no character has.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..answers import Response
from ..config import EdgeConfig, MqttConfig
from ..errors import EdgeError
from ..messages import AudioMeta, MarkReached, Rejected
from ..protocols.segments import LipsyncSegment
from ..spec import SAMPLE_RATE
from ..topics import LABEL_SHOWN, REVOCATIONS, Topics
from .finding import Finding
from .probe import Heard, ProbeClient

NAME = "doctor-probe"
COMMANDS = (f"say/{NAME}", f"line/{NAME}", f"stop/{NAME}", f"request/{NAME}", LABEL_SHOWN)
REPORTS = {
    "event/unknown": Rejected(
        id=NAME, seq=0, event_id=NAME, boot_id=NAME, character="", t_mono_ms=0, code="bad_request",
        message="the doctor tries the access rules", retryable=False,
    ),
    f"response/{NAME}": Response(id=NAME, op=NAME, ok=True),
    f"mark/{NAME}": MarkReached(id=NAME, character=NAME, name=NAME, t_ms=0.0),
    f"lipsync/{NAME}": LipsyncSegment(id=NAME, segment=0, final=True, words=[], phonemes=[], visemes=[]),
    f"audio/{NAME}/meta": AudioMeta(id=NAME, format="pcm16", sample_rate=SAMPLE_RATE, label={}),
}  # fmt: skip
"""What the device says, by topic: whole messages, which no client stumbles over."""
LAMPS = ("state", "availability", "status")
REMEDY = "mend the broker's access rules: docs/broker.md has them by role"


class AccessChecks:
    """Tries the access rules of a broker.

    Args:
        config: of the device.
        peer: credentials of a show client; None: the device's own stand in for it.
        v5: with MQTT 5, which tells more, else with 3.1.1.
    """

    def __init__(self, config: EdgeConfig, peer: MqttConfig | None = None, *, v5: bool = True) -> None:
        self._config = config
        self._peer = peer
        self._v5 = v5
        self._topics = Topics(config.base, config.device)

    def look(self) -> Iterator[Finding]:
        """Do the checks."""
        try:
            with (
                ProbeClient(self._config.mqtt, v5=self._v5) as device,
                ProbeClient(self._peer or self._config.mqtt, v5=self._v5) as show,
            ):
                yield self._hears(device, show)
                yield self._tells(device, show)
                yield self._replies(device)
        except EdgeError as error:
            yield Finding("access", "error", str(error), REMEDY)

    def _hears(self, device: ProbeClient, show: ProbeClient) -> Finding:
        """Send what a show client sends, and see whether the device gets it."""
        topics = [self._topics.own(tail) for tail in (*COMMANDS, *(() if self._peer else (REVOCATIONS,)))]
        device.subscribe(*self._topics.subscriptions())
        refused = [topic for topic in topics if show.publish(topic, retain=True)]
        sent = [topic for topic in topics if topic not in refused]
        device.wait(lambda heard: _topics(heard) >= set(sent))
        deaf = [topic for topic in sent if topic not in _topics(device.heard)]
        who = "a show client" if self._peer else "this device's user"
        if self._peer and refused:
            return Finding("access", "error", f"{who} may not send {_short(refused)}", REMEDY)
        if deaf:
            return Finding("access", "error", f"{_short(deaf)} never arrive here, and nobody is told", REMEDY)
        if refused:
            told = f"{who} may not send {_short(refused)}, so that it is not known whether they arrive"
            return Finding(
                "access", "warning", told, "run this with --peer and the credentials of a show client"
            )
        return Finding("access", "ok", f"commands of {who} arrive")

    def _tells(self, device: ProbeClient, show: ProbeClient) -> Finding:
        """Send what the device sends, lamps as they are, and see whether it gets to a show client."""
        lamps = [self._topics.own(tail) for tail in LAMPS]
        show.subscribe(*(self._topics.own(tail) for tail in (*REPORTS, *LAMPS)))
        show.wait(lambda heard: _topics(heard) >= set(lamps), 1.0)
        said = {one.topic: one.payload for one in show.heard if one.retain}
        said |= {self._topics.own(tail): report.to_json() for tail, report in REPORTS.items()}
        show.heard.clear()
        refused = [topic for topic, payload in said.items() if device.publish(topic, payload)]
        refused += [topic for topic in lamps if topic not in said and device.publish(topic, retain=True)]
        sent = [topic for topic in (*said, *lamps) if topic not in refused]
        if refused:
            return Finding("access", "error", f"this device may not publish {_short(refused)}", REMEDY)
        show.wait(lambda heard: _topics(heard) >= set(sent))
        unheard = [topic for topic in sent if topic not in _topics(show.heard)]
        if unheard:
            return Finding(
                "access", "error", f"{_short(unheard)} vanish on their way to a show client", REMEDY
            )
        return Finding("access", "ok", "events, answers and lamps arrive")

    def _replies(self, device: ProbeClient) -> Finding:
        """Send an answer where clients may ask for one."""
        prefixes = self._config.mqtt.reply_prefixes
        topics = [f"{prefix}{NAME}" for prefix in prefixes]
        refused = [topic for topic in topics if device.publish(topic, retain=True)]
        if refused:
            return Finding("access", "error", f"this device may not publish {_short(refused)}", REMEDY)
        if not prefixes:
            return Finding(
                "access", "warning", "clients may have answers sent to any topic outside the device's own",
                'set mqtt.reply_prefixes, such as ["reply/"]',
            )  # fmt: skip
        return Finding("access", "ok", f"answers may go to {', '.join(prefixes)}")


def _topics(heard: list[Heard]) -> set[str]:
    return {one.topic for one in heard}


def _short(topics: list[str]) -> str:
    return ", ".join(topics[:4]) + (f" and {len(topics) - 4} more" if len(topics) > 4 else "")
