"""Which chatflow a device is served, in which version, and why each other was passed over (product §2, targeting).

Invariant: the same configuration, tag and device give the same answer on every machine; a share once reached is kept
when it grows. Decides new conversations only: a running one stays with its chatflow and version.
"""

import hashlib
import re
from collections.abc import Iterator

import msgspec

from protocol.bus import hours
from protocol.bus.chatflow import Chatflow, Targeting
from protocol.bus.config import AccountConfig
from protocol.bus.texts import tongues
from protocol.ids import ChatflowId


class Device(msgspec.Struct, frozen=True):
    """Who asks. `id` is what shares hang on: stable for the phone. `attributes`: the app's own, as it set them."""

    platform: str
    app_version: str
    locale: str
    id: str
    at_ms: int
    identified: bool = False
    attributes: dict[str, str] = {}


class PassedOver(msgspec.Struct, frozen=True):
    """A chatflow of the tag that was not served. `reason`: disabled, platform, app_version, locale, identified,
    attributes, schedule, percentage, priority; `detail` says it to people."""

    chatflow: ChatflowId
    reason: str
    detail: str


class Served(msgspec.Struct, frozen=True):
    """`flow` in the version that the device gets; None: nothing serves the tag. `held_back`: why not the newest."""

    flow: Chatflow | None
    passed_over: list[PassedOver]
    held_back: str = ""


def serve(config: AccountConfig, tag: str, device: Device) -> Served:
    """Return the chatflow for `device` among those of `tag`: the first in priority whose targeting fits."""
    asked = sorted((flow for flow in config.chatflows if tag in (*flow.tags, *flow.former_tags)), key=_order)
    served: Chatflow | None = None
    passed_over: list[PassedOver] = []
    for flow in asked:
        why = _why_not(config, flow, device)
        if why is None and served is None:
            served = flow
        else:
            passed_over.append(
                PassedOver(flow.id, *(why or ("priority", f"{served.id} comes first" if served else "")))
            )
    if served is None:
        return Served(None, passed_over)
    version, held_back = _version(config, served, device)
    return Served(version, passed_over, held_back)


def bucket(key: bytes, share: str, flow: ChatflowId, device: str) -> int:
    """Return the device's place, 0–99, in one of the shares of a chatflow; every `share` shuffles anew."""
    digest = hashlib.blake2b(f"{flow}\x00{device}".encode(), digest_size=8, key=key, person=share.encode()).digest()
    return int.from_bytes(digest, "big") % 100


def version_key(version: str) -> tuple[list[int], bool, str]:
    """Return what app versions are compared by: 1.10 comes after 1.9, 1.0-beta before 1.0, and 1.0 is 1.0.0."""
    release, _, beta = version.partition("+")[0].partition("-")
    numbers = [int(digits) for digits in re.findall("[0-9]+", release)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers, not beta, beta


def _order(flow: Chatflow) -> tuple[int, str]:
    return flow.priority, flow.id


def _at_least(version: str, least: str) -> bool:
    return version_key(version) >= version_key(least)


def _why_not(config: AccountConfig, flow: Chatflow, device: Device) -> tuple[str, str] | None:
    if not flow.enabled:
        return "disabled", "it is disabled"
    return next(_misfits(config, flow.targeting, flow.id, device), None)


def _misfits(config: AccountConfig, wanted: Targeting, flow: ChatflowId, device: Device) -> Iterator[tuple[str, str]]:
    if wanted.platforms and device.platform not in wanted.platforms:
        yield "platform", f"for {', '.join(wanted.platforms)}; the device is {device.platform}"
    if wanted.min_version and not _at_least(device.app_version, wanted.min_version):
        yield "app_version", f"from app version {wanted.min_version} on; the device has {device.app_version}"
    if wanted.max_version and not _at_least(wanted.max_version, device.app_version):
        yield "app_version", f"up to app version {wanted.max_version}; the device has {device.app_version}"
    if wanted.locales and not set(tongues(device.locale)) & set(wanted.locales):
        yield "locale", f"for {', '.join(wanted.locales)}; the device speaks {device.locale}"
    if wanted.identified is not None and device.identified != wanted.identified:
        yield "identified", f"for {'identified' if wanted.identified else 'anonymous'} visitors only"
    for name, value in wanted.attributes.items():
        if device.attributes.get(name) != value:
            yield "attributes", f"for {name} {value}; the device has {device.attributes.get(name, 'none')}"
    if wanted.schedule is not None and not _open(config, wanted.schedule, device.at_ms):
        yield "schedule", f"only within the hours {wanted.schedule}"
    if (place := bucket(config.id_key, "percentage", flow, device.id)) >= wanted.percentage:
        yield "percentage", f"for {wanted.percentage} % of devices; this one is at {place} of 0–99"


def _open(config: AccountConfig, name: str, at_ms: int) -> bool:
    return any(one.id == name and hours.is_open(one, at_ms) for one in config.hours)


def _version(config: AccountConfig, newest: Chatflow, device: Device) -> tuple[Chatflow, str]:
    """Return the newest version if the rollout reaches the device, else the one before it, with the reason."""
    rollout, place = newest.rollout, bucket(config.id_key, "rollout", newest.id, device.id)
    before = max((flow for flow in config.past if flow.id == newest.id), key=lambda flow: flow.version, default=None)
    if before is None:
        return newest, ""
    if rollout.min_version and not _at_least(device.app_version, rollout.min_version):
        return before, f"version {newest.version} needs app version {rollout.min_version}"
    if place >= rollout.share:
        return before, f"version {newest.version} goes to {rollout.share} %; this device is at {place} of 0–99"
    return newest, ""
