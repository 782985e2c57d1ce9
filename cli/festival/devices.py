"""Which devices of a festival's booths are waited for, and what can be done about each, as sales sees it."""

from collections.abc import Iterable, Iterator

from cli.festival.client import Api, Row


def waited_for(sales: Api, booths: Iterable[Row]) -> list[Row]:
    """A row for each device that `booths`, festival's pages of unsettled ones, wait for: those of which something is
    missing, those that their booth does not list, and of a closing booth all that are not complete. Raises
    NotAnswered."""
    rows: list[Row] = []
    for booth in booths:
        # Of a booth that no till was heard of sales may know nothing yet.
        page = sales.find("booths", booth["booth"]) or {}
        rows += _of_booth(booth, page.get("tills", ()))
    return rows


def _of_booth(booth: Row, devices: Iterable[Row]) -> Iterator[Row]:
    for device in devices:
        if device.get("struck") or device.get("complete"):
            continue
        open_and_well = booth["status"] == "open" and device.get("listed", True) and not _lacks(device)
        if not open_and_well:
            missing, to_do = _missing(device), _to_do(booth, device)
            yield {**device, "booth": booth["booth"], "what_is_missing": missing, "to_do": to_do}


def _lacks(device: Row) -> bool:
    return bool(device.get("missing")) or len(device["branches"]) > 1


def _missing(device: Row) -> str:
    if device.get("device") is None:
        return "nothing was heard"
    holes = ", ".join(_range(first, last) for first, last in device.get("missing") or ())
    lacks = [f"records {holes}"] if holes else []
    if (branches := len(device["branches"])) > 1:
        still_open = sum(not branch["complete"] for branch in device["branches"])
        lacks.append(f"the end of {still_open} of its {branches} branches")
    elif not device.get("closed"):
        lacks.append("its close")
    return " and ".join(lacks)


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _to_do(booth: Row, device: Row) -> str:
    festival, till = booth["festival"], device["till"]
    named = f"{festival} {booth['booth']} {till}"
    which = f" --device {device['device']}" if device.get("device") else ""
    lost = f"sync it; lost? `karya festival strike-till {named}{which}`"
    if device.get("listed", True) or booth["status"] != "open":
        return lost
    return f"not listed: add it with `karya festival add-till {named}`; {lost}"
