"""Options that do nothing without another one."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click
from click.core import ParameterSource

from edge_runtime.addresses import is_address
from edge_runtime.options.config import strength

# Patterns, since addresses that nobody can take apart are refused only later.
_ENCRYPTED: Final = re.compile(r"mqtts://", re.IGNORECASE)
_WITH_USER: Final = re.compile(r"[a-z]+://[^/?#@:][^/?#]*@", re.IGNORECASE)


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
    return any(_ENCRYPTED.match(text) for text in brokers)


def _any_user(brokers: Sequence[str]) -> bool:
    return any(_WITH_USER.match(text) for text in brokers)


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


def drop_overruled(ctx: click.Context) -> None:
    """Unset each option that does nothing since something stronger has overruled what it could serve.

    So the file's `width` goes with its `camera` where the command line says `--demo`.

    Args:
        ctx: Of the command, in which settings that exclude one another have been told apart.
    """
    for parameter, companions in _idle(ctx):
        name = parameter.name or ""
        if strength(ctx, name) < max(strength(ctx, companion.name) for companion in companions):
            ctx.params[name] = _unset(parameter, ctx.params[name])
            ctx.set_parameter_source(name, ParameterSource.DEFAULT)


def check_companions(ctx: click.Context) -> None:
    """Refuse an option that does nothing since all that it could serve is missing.

    Args:
        ctx: Of the command, without options that have been overruled.

    Raises:
        click.UsageError: There is such an option.
    """
    for parameter, companions in _idle(ctx):
        raise click.UsageError(_complaint(max(parameter.opts, key=len), [companion.text for companion in companions]))


def _idle(ctx: click.Context) -> Iterator[tuple[click.Parameter, Sequence[_Companion]]]:
    """Yield each option that is set and has none of the companions it needs, with them."""
    for parameter in ctx.command.params:
        name = parameter.name or ""
        companions = _COMPANIONS.get(name, ())
        if not companions or not _is_set(parameter, ctx.params[name]):
            continue
        if not any(companion.suits(ctx.params[companion.name]) for companion in companions):
            yield parameter, companions


def _is_set(parameter: click.Parameter, value: Any) -> bool:
    """Tell whether an option has been given anything but its default, which `--print-config` writes into files, too."""
    return value not in (parameter.default, None) and value is not False


def _unset(parameter: click.Parameter, value: Any) -> Any:
    """Return what an option is where nothing sets it."""
    # Where a command names no default, what click says of it differs between versions.
    if isinstance(parameter.default, int | float):
        return parameter.default
    return False if isinstance(value, bool) else None


def _complaint(option: str, texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return f"{option} does nothing without {texts[0]}; give that as well, or leave it out."
    return f"{option} does nothing without {', '.join(texts[:-1])} or {texts[-1]}; give one of them, or leave it out."
