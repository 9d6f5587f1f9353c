import pytest
from click.testing import CliRunner

from train.cli import main
from train.networks.catalogue import read_catalogue


def test_the_table_and_the_registry_name_the_same_networks() -> None:
    pytest.importorskip("keras", reason="needs the train extra")
    from train.networks.architectures import ARCHITECTURES

    rows = {row.name: row for row in read_catalogue()}
    assert list(rows) == list(ARCHITECTURES)
    for name, architecture in ARCHITECTURES.items():
        assert (rows[name].size, rows[name].int8) == (architecture.size, architecture.int8)


def test_known_costs_of_mobilenet_v2() -> None:
    row = next(row for row in read_catalogue() if row.name == "mobilenet_v2")
    # The paper's 300 million and Keras's 2.26 million without the top.
    assert row.macs == pytest.approx(300e6, rel=0.01)
    assert row.parameters == pytest.approx(2_257_984 + 12_810)
    assert row.relative_ms == 1.0


def test_list_shows_every_network() -> None:
    result = CliRunner().invoke(main, ["list"])
    assert result.exit_code == 0
    assert all(row.name in result.stdout for row in read_catalogue())
