"""Callbacks of an MQTT Client DAT in TouchDesigner, and functions to call from buttons and cues.

Make an MQTT Client DAT called ``mqttclient1``, network address ``tcp://10.0.0.2:1883``, with its own user client id, and
paste this into its callbacks DAT. Speak from anywhere with

    op('mqttclient1_callbacks').module.say('noah', '你好，欢迎光临！')

Lamps: a Table DAT called ``lamps`` gets one row for each retained word (``state``, ``availability``). Marks:
``[mark:lights]`` in a line pulses a Trigger CHOP called ``mark_lights``, if there is one.
"""

import json
import uuid

BASE = 'sovits/kiosk'
CLIENT = 'mqttclient1'
ENDS = ('finished', 'failed', 'cancelled', 'expired', 'rejected')
waiting = {}  # request id: function to call with the last event of the line


def say(character, text, then=None, **keys):
    """Say a line; ``then`` is called with its last event. Keys: priority, interrupt, emotion and so on."""
    request = {'id': f'td-{uuid.uuid4()}', 'character': character, 'text': text, **keys}
    if then is not None:
        waiting[request['id']] = then
    op(CLIENT).publish(f'{BASE}/request/say', json.dumps(request).encode('utf-8'), qos=1)
    return request['id']


def stop(character=None):
    """Silence a character, or everybody."""
    op(CLIENT).publish(f'{BASE}/stop/{character}' if character else f'{BASE}/stop', b'', qos=1)


def onConnect(dat):
    for tail in ('state', 'availability', 'event/+', 'mark/+'):
        dat.subscribe(f'{BASE}/{tail}', qos=1)


def onMessage(dat, topic, payload, *rest):
    kind, _, name = topic[len(BASE) + 1 :].partition('/')
    if kind == 'event':
        event = json.loads(bytes(payload).decode('utf-8'))
        if event['event'] in ENDS:
            then = waiting.pop(event['id'], None)
            if then is not None:
                then(event)
    elif kind == 'mark':
        trigger = op(f'mark_{name}')
        if trigger is not None:
            trigger.par.triggerpulse.pulse()
    else:
        lamps, word = op('lamps'), bytes(payload).decode('utf-8')
        if lamps.row(kind):
            lamps[kind, 1] = word
        else:
            lamps.appendRow([kind, word])
