"""Settings come from variables or one file, and a slip of the pen is told."""

from pathlib import Path

import pytest

from stadthub_schemas.errors import SettingsError
from stadthub_schemas.settings import load_settings


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings({})
    assert settings.port == 8000
    assert settings.lake.endswith("stadthub-data/lake")
    assert settings.database.startswith("sqlite:///")


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text('port = 9000\nsite_title = "Musterstadt"\nallowed_hosts = ["a.example"]\n')
    settings = load_settings({"STADTHUB_PORT": "9001", "STADTHUB_CONFIG": str(file)})
    assert (settings.port, settings.site_title, settings.allowed_hosts) == (9001, "Musterstadt", ("a.example",))


def test_an_unknown_variable_is_an_error_with_the_nearest_right_name() -> None:
    with pytest.raises(SettingsError, match="STADTHUB_DATADIR: there is no such setting: did you mean STADTHUB_DATA_DIR"):
        load_settings({"STADTHUB_DATADIR": "/tmp/x"})


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"STADTHUB_PORT": "ninety", "STADTHUB_LOG_LEVEL": "loud", "STADTHUB_HOSTT": "x"})
    assert len(str(caught.value).splitlines()) == 3


def test_lists_are_written_with_commas() -> None:
    assert load_settings({"STADTHUB_ALLOWED_HOSTS": "a.example, b.example:8080"}).allowed_hosts == ("a.example", "b.example:8080")


@pytest.mark.parametrize("key", ["0551500", "5515000a", "AGS 05515000"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    assert load_settings({"STADTHUB_GEOCODING": "05515000"}).geocoding == "05515000"
    with pytest.raises(SettingsError, match=r"STADTHUB_GEOCODING: .*digits only"):
        load_settings({"STADTHUB_GEOCODING": key})


def test_the_database_password_does_not_show_in_the_settings() -> None:
    settings = load_settings({"STADTHUB_DATABASE_URL": "postgresql+psycopg://hub:geheim@db/hub"})
    assert "geheim" not in repr(settings)
    assert settings.database.endswith("geheim@db/hub")
