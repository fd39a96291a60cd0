"""Records (dataclasses of this project) to nested dicts and lists that JSON can hold, and back."""

import types
import typing
from dataclasses import fields, is_dataclass


def from_plain(kind, value):
    """A dataclass of this project from asdict's nested dict after JSON: lists become the tuples that were there."""
    if value is None:
        return None
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{entry.name: from_plain(hints[entry.name], value[entry.name])
                       for entry in fields(kind) if entry.name in value})
    inner = [argument for argument in typing.get_args(kind) if argument not in (types.NoneType, ...)]
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return from_plain(inner[0], value)
    if typing.get_origin(kind) is list and inner:
        return [from_plain(inner[0], entry) for entry in value]
    if typing.get_origin(kind) is tuple:
        each = inner * len(value) if len(inner) == 1 else inner
        return tuple(from_plain(part, entry) for part, entry in zip(each, value, strict=True))
    return value
