"""The key of a device: made once, kept by its owner alone, and every record is signed by it."""

import json
import stat
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from edge.spool import Owner, RecordPlace, Spool
from edge.spool.backup import export, import_into
from edge.spool.device_key import DeviceKeyFile
from shared import envelope
from shared.access.signatures import HEADER, SignatureRefused, SignedContent, device_of, public_key_of, verify
from shared.errors import SpoolFailed
from shared.events.language import Body
from shared.events.production import TERMINAL, ProductionReported

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


def an_owner(folder: Path) -> Owner:
    return Owner(folder / "LP-KPG.T1.spool", TERMINAL, "terminal/LP-KPG/T1")


def a_report(qty: int = 1) -> Body:
    return ProductionReported(facility="LP-KPG", terminal="T1", product="KTI", qty=qty, made_on=date(2026, 11, 30))


def check(spool: Spool) -> list[str]:
    """The devices that signed the records. Raises SignatureRefused unless this device's key did."""
    public = public_key_of(spool.device_key())
    devices = []
    for record in spool.records():
        signature = envelope.header(record.headers, HEADER)
        assert signature is not None
        verify(signature, SignedContent.of(record.headers, record.key.encode(), record.value), public)
        devices.append(device_of(signature))
    return devices


def test_every_record_is_signed_by_the_key_of_the_device(tmp_path: Path) -> None:
    with Spool(an_owner(tmp_path)) as spool:
        assert not (tmp_path / "LP-KPG.T1.key").exists(), "nothing was recorded yet"
        spool.append_all([lambda _: a_report(), lambda _: a_report(2)], NOW)
        device = public_key_of(spool.device_key()).device
    with Spool(an_owner(tmp_path)) as again:
        again.append(lambda _: a_report(3), NOW)
        assert check(again) == [device] * 3


def test_an_amended_record_is_signed_anew(tmp_path: Path) -> None:
    with Spool(an_owner(tmp_path)) as spool:
        spool.append(lambda _: a_report(), NOW)

        def more(_place: RecordPlace, _former: Body) -> Body:
            return a_report(5)

        spool.amend(1, more)
        assert check(spool) == [public_key_of(spool.device_key()).device]


def test_a_record_that_was_changed_in_the_file_is_seen(tmp_path: Path) -> None:
    with Spool(an_owner(tmp_path)) as spool:
        spool.append(lambda _: a_report(), NOW)
        spool._db.execute(
            "update said set value = cast(replace(cast(value as text), '\"qty\":1', '\"qty\":7') as blob)"
        )
        with pytest.raises(SignatureRefused, match="wrong"):
            check(spool)


def test_only_the_owner_reads_the_key_and_no_export_has_it(tmp_path: Path) -> None:
    with Spool(an_owner(tmp_path / "here")) as spool:
        spool.append(lambda _: a_report(), NOW)
        path = tmp_path / "here" / "LP-KPG.T1.key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        secret = json.loads(path.read_text())["d"].encode()
        export(spool, tmp_path / "copy.spool")
        signed_here = check(spool)
    assert [file for file in tmp_path.rglob("*") if file.is_file() and secret in file.read_bytes()] == [path]
    owner = an_owner(tmp_path / "there")
    with Spool(owner) as other:
        import_into(other, tmp_path / "copy.spool", owner)
        other.append(lambda _: a_report(2), NOW)
        signatures = [envelope.header(record.headers, HEADER) for record in other.records()]
        devices = [device_of(signature) for signature in signatures if signature is not None]
        assert devices == [*signed_here, public_key_of(other.device_key()).device]
        assert len(set(devices)) == 2, "the other machine has a key of its own"


def test_processes_that_make_the_first_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    path, together = tmp_path / "a.key", threading.Barrier(8)
    made: list[str] = []

    def make() -> None:
        together.wait()
        made.append(public_key_of(DeviceKeyFile(path).key()).device)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert set(made) == {public_key_of(DeviceKeyFile(path).key()).device}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"kty":"OKP","crv":"Ed25519","x":"AA"}', '{"kty":"oct","k":"AA"}']
)
def test_a_device_whose_key_is_damaged_goes_on_with_another(text: str, tmp_path: Path) -> None:
    with Spool(an_owner(tmp_path)) as spool:
        spool.append(lambda _: a_report(), NOW)
    (tmp_path / "LP-KPG.T1.key").write_text(text)
    with Spool(an_owner(tmp_path)) as spool:
        spool.append(lambda _: a_report(2), NOW)
        devices = [device_of(envelope.header(record.headers, HEADER) or "") for record in spool.records()]
        assert devices[0] != devices[1] == public_key_of(spool.device_key()).device
    with Spool(an_owner(tmp_path)) as spool:
        assert public_key_of(spool.device_key()).device == devices[1]


def test_a_record_is_not_kept_if_the_key_can_not_be(tmp_path: Path) -> None:
    with Spool(an_owner(tmp_path)) as spool:
        (tmp_path / "LP-KPG.T1.key").mkdir()
        with pytest.raises(SpoolFailed):
            spool.append(lambda _: a_report(), NOW)
        assert spool.counts().records == 0
