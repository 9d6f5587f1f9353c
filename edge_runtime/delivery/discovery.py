"""What Home Assistant needs to show a device without being configured.

The format is MQTT device discovery (https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload).
"""

import json
from importlib.metadata import version
from typing import Any, Final

from edge_runtime.events import HealthKind, ScanKind

DISCOVERY_TOPIC: Final = "homeassistant/device/{}/config"

_NAME: Final = "edge-garment"
_SETTLED_LABEL: Final = (
    "{{ value_json.label if value_json.kind == 'settled' else 'none' if value_json.kind == 'left' else this.state }}"
)
_EVENT: Final = '{"event_type": {{ value_json.kind | tojson }}, %s}'


def discovery_message(device: str, prefix: str) -> str:
    """Return the retained message that announces a device.

    Args:
        device: Its id, of letters, digits, `_` and `-`.
        prefix: Of its topics.
    """
    return json.dumps(
        {
            "device": {"identifiers": [device], "name": prefix, "manufacturer": _NAME},
            "origin": {"name": _NAME, "sw_version": version("edge-garment")},
            "availability_topic": f"{prefix}/status",
            "qos": 1,
            "components": {
                "garment": _garment(device, prefix),
                "scan": _event(device, prefix, "scan", list(ScanKind), ("label", "score", "track", "id")),
                "health": _event(device, prefix, "health", list(HealthKind), ("source", "message", "id")),
            },
        }
    )


def _garment(device: str, prefix: str) -> dict[str, Any]:
    """Describe the sensor that holds the label of the garment in view, or `none`."""
    return {
        "platform": "sensor",
        "unique_id": f"{device}-garment",
        "name": "Garment",
        "icon": "mdi:tshirt-crew",
        "state_topic": f"{prefix}/scan",
        "value_template": _SETTLED_LABEL,
    }


def _event(device: str, prefix: str, name: str, kinds: list[str], attributes: tuple[str, ...]) -> dict[str, Any]:
    pairs = ", ".join(f'"{attribute}": {{{{ value_json.{attribute} | tojson }}}}' for attribute in attributes)
    return {
        "platform": "event",
        "unique_id": f"{device}-{name}",
        "name": name.capitalize(),
        "event_types": kinds,
        "state_topic": f"{prefix}/{name}",
        "value_template": _EVENT % pairs,
    }
