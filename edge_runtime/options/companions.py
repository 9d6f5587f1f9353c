"""Options that do nothing without another one."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import click

from edge_runtime.addresses import is_address
from edge_runtime.options.config import strength


@dataclass(frozen=True, slots=True)
class _Companion:
    """What an option may need to do anything.

    Attributes:
        name: Of the parameter.
        text: What messages call it.
        suits: Tells whether the parameter's value will do.
    """

    name: str
    text: str
    suits: Callable[[Any], bool] = bool


def _any_address(sources: Sequence[str]) -> bool:
    return any(is_address(text) for text in sources)


def _any_encrypted(brokers: Sequence[str]) -> bool:
    return any(urlsplit(text).scheme == "mqtts" for text in brokers)


def _any_user(brokers: Sequence[str]) -> bool:
    return any(urlsplit(text).username for text in brokers)


_CAMERA: Final = _Companion("cameras", "--camera")
_STREAM: Final = _Companion("sources", "the address of a stream", _any_address)
_MODEL: Final = _Companion("model", "--model")
_EVENTS: Final = _Companion("events", "--events")
_SAVE: Final = _Companion("save", "--save")
_CROPS: Final = _Companion("save_crops", "--save-crops")
_JSONL: Final = _Companion("jsonl", "--jsonl")
_WEBHOOK: Final = _Companion("webhooks", "--webhook")
_MQTT: Final = _Companion("brokers", "--mqtt")
_MQTTS: Final = _Companion("brokers", "an --mqtt address that begins with mqtts://", _any_encrypted)
_MQTT_USER: Final = _Companion("brokers", "a user in the address of --mqtt", _any_user)
_WEB: Final = _Companion("web", "--web")

_COMPANIONS: Final = {
    "width": (_CAMERA,),
    "height": (_CAMERA,),
    "fps": (_CAMERA,),
    "timeout": (_CAMERA, _STREAM),
    "max_outage": (_CAMERA, _STREAM),
    "watch_model": (_MODEL,),
    "settle": (_EVENTS, _CROPS, _WEBHOOK, _MQTT, _WEB),
    "leave": (_EVENTS, _CROPS, _WEBHOOK, _MQTT, _WEB),
    "crops_limit": (_CROPS,),
    "jsonl_size": (_JSONL,),
    "blur_outside": (_SAVE, _CROPS, _WEB),
    "webhook_secret_file": (_WEBHOOK,),
    "mqtt_password_file": (_MQTT_USER,),
    "mqtt_ca": (_MQTTS,),
    "mqtt_discovery": (_MQTT,),
    "outbox": (_WEBHOOK, _MQTT),
    "outbox_limit": (_WEBHOOK, _MQTT),
    "web_token_file": (_WEB,),
}
"""By an option's parameter: of what it needs at least one."""


def check_companions(ctx: click.Context, overruled: Collection[str]) -> None:
    """Refuse an option that does nothing since all that it could serve is missing.

    An option whose companion has only been overruled, as by `--demo` for a file with `camera` and `width`, goes with it
    unless it is the stronger of both.

    Args:
        ctx: Of the command, with addresses that have been checked.
        overruled: Parameters that something stronger has emptied.

    Raises:
        click.UsageError: There is such an option.
    """
    for parameter in ctx.command.params:
        name = parameter.name or ""
        companions = _COMPANIONS.get(name, ())
        if not companions or not _is_set(parameter, ctx.params[name]):
            continue
        if not any(_is_there(ctx, companion, overruled, strength(ctx, name)) for companion in companions):
            raise click.UsageError(_idle(max(parameter.opts, key=len), [companion.text for companion in companions]))


def _is_set(parameter: click.Parameter, value: Any) -> bool:
    """Tell whether an option has been given anything but its default, which `--print-config` writes into files, too."""
    return value not in (parameter.default, None) and value is not False


def _is_there(ctx: click.Context, companion: _Companion, overruled: Collection[str], least: int) -> bool:
    if companion.suits(ctx.params[companion.name]):
        return True
    return companion.name in overruled and strength(ctx, companion.name) >= least


def _idle(option: str, texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return f"{option} does nothing without {texts[0]}; give that as well, or leave it out."
    return f"{option} does nothing without {', '.join(texts[:-1])} or {texts[-1]}; give one of them, or leave it out."
