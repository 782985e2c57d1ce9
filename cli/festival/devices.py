"""Which devices of a festival's booths are waited for, and what can be done about each, as sales sees it."""

from collections.abc import Iterable, Iterator

from cli.festival.client import Row, ServiceClient


def waited_for(sales: ServiceClient, booths: Iterable[Row]) -> list[Row]:
    """A row for each device that `booths`, festival's pages of unsettled ones, wait for: those of which something is
    missing, those that their booth does not list, and of a closing booth all that are not complete. Raises
    NotAnswered."""
    rows: list[Row] = []
    for booth in booths:
        # Of a booth that no till was heard of sales may know nothing yet.
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
        return "nothing was heard"
    ranges = ", ".join(_range(first, last) for first, last in device.get("missing") or ())
    parts = [f"records {ranges}"] if ranges else []
    if (branches := len(device["branches"])) > 1:
        still_open = sum(not branch["complete"] for branch in device["branches"])
        parts.append(f"the end of {still_open} of its {branches} branches")
    elif not device.get("closed"):
        parts.append("its close")
    return " and ".join(parts)


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _to_do(booth: Row, device: Row) -> str:
    festival, till = booth["festival"], device["till"]
    place = f"{festival} {booth['booth']} {till}"
    device_option = f" --device {device['device']}" if device.get("device") else ""
    strike = f"sync it; lost? `karya festival strike-till {place}{device_option}`"
    if device.get("listed", True) or booth["status"] != "open":
        return strike
    return f"not listed: add it with `karya festival add-till {place}`; {strike}"
