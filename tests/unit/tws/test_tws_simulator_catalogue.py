"""The simulator's catalogue: what is wrong in a file is said by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tws.simulator.catalogue import FOLDER, CatalogueError, Night, load

NIGHT = (FOLDER / "plans" / "night.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("limit: 20", "limit: many", r"workstations\.MDM_SP\.limit: Input should be a valid integer"),
        ("starts: 5\n", "start: 5\n", r"streams\.CADCLI\.starts: Field required"),
        ("heals: true", "heal: true", r"faults\.PAYDAILY\.PAYROLL\.heal: Unexpected keyword argument"),
        ("follows: [TARIFAS]", "follows: [TARIFA]", r"streams\.COBRANCA\.follows: .* TARIFA"),
        ("needs: [FITALTO]", "needs: [FITA]", r"BKPDWH\.BACKUP_DB\.needs: .* FITA"),
        ("workstation: MDM_SP", "workstation: MDM", r"streams\.FIMNOITE\.workstation: .* MDM"),
        ("  PAYDAILY.PAYROLL:", "  PAYDAILY.PAYROL:", r"faults: .* PAYDAILY\.PAYROL"),
        ("      PAYROLL:", "      PAYROL:", r"streams\.PAYDAILY\.jobs: .* PAYDAILY\.PAYROL"),
        ("streams:", "streams: [", "expected ',' or ']'"),
    ],
)
def test_what_is_wrong_in_a_night_is_named(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert right in NIGHT
    file = tmp_path / "night.yaml"
    file.write_text(NIGHT.replace(right, wrong), encoding="utf-8")
    with pytest.raises(CatalogueError, match=rf"(?s)^night\.yaml: .*{message}"):
        load(file, Night)


def test_a_stream_may_be_repeated_through_the_day() -> None:
    streams = load(FOLDER / "plans" / "night.yaml", Night).instances()
    repeated = {name: one.starts for name, one in streams.items() if name.startswith("PIX")}
    assert len(repeated) == 96
    assert (repeated["PIX0000"], repeated["PIX0015"], repeated["PIX2345"]) == (2, 17, 1427)
    assert streams["PIX2345"].steps[0] == ("PIX_COLETA_2345",)
