"""The devices that keep booths from settling, and what to do about each, as sales knows them."""

from collections.abc import Iterable, Iterator

from cli.festival.client import Row, ServiceClient
from shared.translation import tr


def waited_for(sales: ServiceClient, booths: Iterable[Row]) -> list[Row]:
    """A row for each device that `booths`, festival's pages of unsettled booths, wait for.

    These are devices with missing records, devices that their booth does not list, and every incomplete device of a
    closing booth. Raises NotAnswered.
    """
    rows: list[Row] = []
    for booth in booths:
        # Sales has no page of a booth before its first event.
        page = sales.find("booths", booth["booth"]) or {}
        rows += _rows_of_booth(booth, page.get("tills", ()))
    return rows


def _rows_of_booth(booth: Row, devices: Iterable[Row]) -> Iterator[Row]:
    for device in devices:
        if device.get("struck") or device.get("complete"):
            continue
        well = booth["status"] == "open" and device.get("listed", True) and not _is_incomplete(device)
        if not well:
            missing, to_do = _missing(device), _to_do(booth, device)
            yield {**device, "booth": booth["booth"], "what_is_missing": missing, "to_do": to_do}


def _is_incomplete(device: Row) -> bool:
    return bool(device.get("missing")) or len(device["branches"]) > 1


def _missing(device: Row) -> str:
    if device.get("device") is None:
        return tr("nothing was heard")
    ranges = ", ".join(_range(first, last) for first, last in device.get("missing") or ())
    parts = [tr("records {ranges}", ranges=ranges)] if ranges else []
    if (branches := len(device["branches"])) > 1:
        still_open = sum(not branch["complete"] for branch in device["branches"])
        parts.append(
            tr("the end of {still_open} of its {branches} branches", still_open=still_open, branches=branches)
        )
    elif not device.get("closed"):
        parts.append(tr("its close"))
    return tr("{first} and {second}", first=parts[0], second=parts[1]) if len(parts) > 1 else parts[0]


def _range(first: int, last: int) -> str:
    return str(first) if first == last else tr("{first} to {last}", first=first, last=last)


def _to_do(booth: Row, device: Row) -> str:
    festival, till = booth["festival"], device["till"]
    place = f"{festival} {booth['booth']} {till}"
    device_option = f" --device {device['device']}" if device.get("device") else ""
    strike = tr("sync it; lost? `{command}`", command=f"karya festival strike-till {place}{device_option}")
    if device.get("listed", True) or booth["status"] != "open":
        return strike
    return tr(
        "not listed: add it with `{command}`; {strike}", command=f"karya festival add-till {place}", strike=strike
    )
