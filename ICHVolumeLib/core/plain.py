"""Records (dataclasses of this project) to nested dicts and lists that JSON can hold, and back."""

import types
import typing
from dataclasses import fields, is_dataclass


def to_plain(value, leave_out: tuple[str, ...] = ()):
    """A record as a nested dict; leave_out: fields of the record itself that go another way (arrays)."""
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: to_plain(getattr(value, entry.name)) for entry in fields(value)
                if entry.name not in leave_out}
    if isinstance(value, dict):
        return {key: to_plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(one) for one in value]
    return value


def from_plain(kind, value):
    """A record of this kind from its nested dict: lists become the tuples that were there, unknown fields are passed
    over, missing ones get their default. Raises TypeError when one without a default is missing."""
    if value is None:
        return None
    if isinstance(kind, type) and is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{entry.name: from_plain(hints[entry.name], value[entry.name])
                       for entry in fields(kind) if entry.name in value})
    inner = [argument for argument in typing.get_args(kind) if argument not in (types.NoneType, ...)]
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return from_plain(inner[0], value)
    if typing.get_origin(kind) is dict and inner:
        return {key: from_plain(inner[1], one) for key, one in value.items()}
    if typing.get_origin(kind) is list and inner:
        return [from_plain(inner[0], entry) for entry in value]
    if typing.get_origin(kind) is tuple:
        each = inner * len(value) if len(inner) == 1 else inner
        return tuple(from_plain(part, entry) for part, entry in zip(each, value, strict=True))
    return value
