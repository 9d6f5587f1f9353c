"""Settings from a TOML file and from the environment, beneath those of the command line."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from edge_runtime.addresses import without_password
from edge_runtime.errors import ConfigError
from edge_runtime.option_group import option_group

ENVIRONMENT_PREFIX: Final = "EDGE"

_NO_SETTINGS: Final = ("help", "version", "config", "check_config", "print_config")
# Weakest first.
_ORIGINS: Final = {
    ParameterSource.DEFAULT: "default",
    ParameterSource.DEFAULT_MAP: "file",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.COMMANDLINE: "command line",
}
_STRENGTH: Final = {origin: strength for strength, origin in enumerate(_ORIGINS)}


def read_config(path: Path, ctx: click.Context) -> dict[str, Any]:
    """Read a TOML file whose keys are the command's options without dashes before them, and check every value.

    Args:
        path: Of the file.
        ctx: Of the command.

    Returns:
        Values by parameter name, as click's default map wants them.

    Raises:
        ConfigError: The file cannot be read, is no TOML, or has keys or values that the command does not know; every
            fault is named with its line and key.
    """
    text = _read(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}; correct it there.") from error
    parameters = _settings(ctx.command)
    faults = [
        f"{path}, line {_line_of(key, text)}: {key}: {fault}"
        for key, value in values.items()
        if (fault := _fault(key, value, parameters, ctx))
    ]
    if faults:
        raise ConfigError("\n".join(faults))
    return {parameters[key].name or key: _listed(parameters[key], value) for key, value in values.items()}


def print_config(ctx: click.Context) -> str:
    """Return the settings in force as a TOML file, each with where it comes from; passwords are hidden."""
    lines = []
    for key, parameter in _settings(ctx.command).items():
        name = parameter.name or key
        origin = _ORIGINS[_source(ctx, name)]
        value = _toml(ctx.params[name])
        lines.append(f"# {key} =  # not set" if value is None else f"{key} = {value}  # {origin}")
    return "\n".join(lines)


def keep_strongest(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Of settings that exclude one another keep those from the strongest origin, which empties the others.

    So `--camera 0` on the command line takes the place of a stream in the file instead of contradicting it.
    """
    given = [name for name in names if ctx.params[name]]
    origin = max((_source(ctx, name) for name in given), key=_STRENGTH.__getitem__, default=ParameterSource.DEFAULT)
    for name in given:
        if strength(ctx, name) < _STRENGTH[origin]:
            ctx.params[name] = type(ctx.params[name])()
            ctx.set_parameter_source(name, origin)


def strength(ctx: click.Context, name: str) -> int:
    """Return a number that is higher the stronger the origin of a setting is."""
    return _STRENGTH[_source(ctx, name)]


def _load(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None:
        ctx.default_map = read_config(path, ctx)


config_options = option_group(
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_load,
        help="TOML file with any of these settings; the command line and EDGE_... variables go before it.",
    ),
    click.option(
        "--check-config",
        is_flag=True,
        allow_from_autoenv=False,
        help="Check all settings, sources that are files, and models; end without a frame.",
    ),
    click.option(
        "--print-config",
        is_flag=True,
        allow_from_autoenv=False,
        help="Print all settings and where they come from, as TOML, and end.",
    ),
)
"""Give a command `--config`, `--check-config` and `--print-config`."""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); check --config.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no UTF-8 text; save it as such.") from error


def _settings(command: click.Command) -> dict[str, click.Parameter]:
    """Return the parameters that a file may set, by their keys."""
    return {_key(parameter): parameter for parameter in command.params if parameter.name not in _NO_SETTINGS}


def _key(parameter: click.Parameter) -> str:
    longest = max(parameter.opts, key=len)
    return longest.removeprefix("--")


def _fault(key: str, value: Any, parameters: Mapping[str, click.Parameter], ctx: click.Context) -> str | None:
    """Return what is wrong with a key or its value."""
    if key not in parameters:
        close = difflib.get_close_matches(key, parameters, n=1)
        return f"no setting has this name{f'; did you mean {close[0]}?' if close else '; see --help.'}"
    parameter = parameters[key]
    is_flag = isinstance(parameter, click.Option) and parameter.is_flag
    if is_flag != isinstance(value, bool):
        return "true or false is wanted." if is_flag else "true and false are no values for it."
    if isinstance(value, dict):
        return "a table is no value for it."
    try:
        parameter.type_cast_value(ctx, _listed(parameter, value))
    except click.BadParameter as error:
        return error.message
    # Of values of kinds that a command line cannot give, such as lists and dates, click makes nothing of its own.
    except (AttributeError, TypeError, ValueError):
        return f"{value} is no value for it."
    return None


def _listed(parameter: click.Parameter, value: Any) -> Any:
    """Return the list that a setting of several values wants, also where a single one is given."""
    several = parameter.multiple or parameter.nargs == -1
    return [value] if several and not isinstance(value, list) else value


def _line_of(key: str, text: str) -> int:
    quoted = re.escape(key)
    match = re.search(rf"^[ \t]*(\[+[ \t]*)?[\"']?{quoted}[\"']?[ \t]*[.=\]]", text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else 1


def _source(ctx: click.Context, name: str) -> ParameterSource:
    source = ctx.get_parameter_source(name)
    return source if source in _ORIGINS else ParameterSource.DEFAULT


def _toml(value: Any) -> str | None:
    """Return a value as TOML; None where there is none."""
    if value is None:
        return None
    if isinstance(value, tuple | list):
        return f"[{', '.join(_items(value))}]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(without_password(str(value)), ensure_ascii=False)


def _items(values: tuple[Any, ...] | list[Any]) -> Iterator[str]:
    return (text for value in values if (text := _toml(value)) is not None)
