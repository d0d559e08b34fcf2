"""What the environment may say, and what is answered when it cannot be used."""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.settings import markdown_table, setting_rows, unknown_variables
from shared.keys import KeyRing, local_keys
from shared.settings import SERVICES, Settings, SettingsError, is_secret, variable_of

SECRET = "hunter2-hunter2-hunter2"
RING = "new:" + "A" * 43 + "=,old:" + "B" * 42 + "A="


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("PMCRM_", "DATABASE_URL")):
            monkeypatch.delenv(name)


def test_without_any_variable_the_database_is_embedded_and_only_loopback_listens():
    settings = Settings.load()
    assert settings.embedded
    assert settings.host == "127.0.0.1"
    assert [settings.port(service) for service in SERVICES] == [50051, 50052, 50053, 50054]
    assert settings.data_dir.name == ".pmcrm"


def test_one_url_of_another_database_is_enough_not_to_start_the_embedded_one(monkeypatch):
    monkeypatch.setenv("DATABASE_URL_OWNER", "postgresql://owner@db/pmcrm")
    assert not Settings.load().embedded


def test_service_in_the_url_stands_for_the_services_name(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://pmcrm_{service}:x@db/pmcrm")
    settings = Settings.load()
    assert settings.database_url_for("contacts") == "postgresql://pmcrm_contacts:x@db/pmcrm"
    assert settings.database_url_for("gdpr") == "postgresql://pmcrm_gdpr:x@db/pmcrm"


def test_a_role_without_a_url_is_an_error_that_names_the_variable(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/pmcrm")
    with pytest.raises(SettingsError, match=r"^DATABASE_URL_OWNER is not set"):
        Settings.load().database_url_for("owner")


def test_role_urls_of_the_embedded_database_go_before_the_variables():
    settings = Settings.load().with_role_urls({"contacts": "postgresql://embedded"})
    assert settings.database_url_for("contacts") == "postgresql://embedded"


def test_metrics_take_consecutive_ports_or_free_ones_or_none(monkeypatch):
    assert Settings.load().metrics_port_of("contacts") is None
    monkeypatch.setenv("PMCRM_METRICS_PORT", "9100")
    assert [Settings.load().metrics_port_of(service) for service in SERVICES] == [9100, 9101, 9102, 9103]
    monkeypatch.setenv("PMCRM_METRICS_PORT", "0")
    assert Settings.load().metrics_port_of("gdpr") == 0


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("PMCRM_METRICS_PORT", "")
    monkeypatch.setenv("DATABASE_URL", "")
    settings = Settings.load()
    assert settings.metrics_port is None
    assert settings.embedded


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("DATABASE_URL", f"mysql://u:{SECRET}@db/x", "does not begin with postgresql://"),
        ("DATABASE_URL", f"postgresql://{{role}}:{SECRET}@db/x", "only placeholder"),
        ("PMCRM_CONTACTS_PORT", "70000", "less than or equal to 65535"),
        ("PMCRM_WORKERS", "many", "valid integer"),
        ("PMCRM_WORKERS", "0", "greater than or equal to 1"),
        ("PMCRM_LOG_FORMAT", "xml", "'json', 'console' or 'auto'"),
        ("PMCRM_STATEMENT_CACHE", "perhaps", "valid boolean"),
        ("PMCRM_OPERATOR_KEY", "hunter2", "shorter than 16 characters"),
        ("PMCRM_SEAL_KEYS", SECRET, "id:base64"),
        ("PMCRM_SEAL_KEYS", f"k1:{SECRET}", "not base64|bytes where 32"),
        ("PMCRM_PAGE_TOKEN_KEYS", "k1:AAAA", "3 bytes where 32 are needed"),
        ("PMCRM_AI_BASE_URL", "ftp://hunter2.example.com/v1", "does not begin with http:// or https://"),
        ("PMCRM_AI_BASE_URL", "hunter2.example.com/v1", "does not begin with http:// or https://"),
        ("PMCRM_AI_BASE_URL", "https://", "names no host"),
        ("PMCRM_AI_BASE_URL", "https://:443/hunter2", "names no host"),
        ("PMCRM_AI_BASE_URL", f"https://u:{SECRET}@ai.example.com/v1", "user name or a password"),
        ("PMCRM_AI_BASE_URL", f"https://ai.example.com/v1?key={SECRET}", r"holds a \?"),
        ("PMCRM_AI_BASE_URL", f"https://ai.example.com/v1#{SECRET}", "or a #"),
        ("PMCRM_AI_BASE_URL", "https://ai.example.com:hunter2/v1", "is no URL"),
        ("PMCRM_AI_BASE_URL", "https://[hunter2/v1", "is no URL"),
        ("PMCRM_AI_BASE_URL", "https://hunter2 .example.com", "no URL may hold"),
        ("PMCRM_AI_BASE_URL", "https://hunter2.example.com/\r\nHost: x", "no URL may hold"),
        ("PMCRM_AI_KEY", f"{SECRET}\r\nX-Other: 1", "no HTTP header may hold"),
        ("PMCRM_AI_KEY", f"Bearer {SECRET}", "spaces"),
        ("PMCRM_AI_EMBEDDING_MODEL", "hunter2" * 40, "at most 200 characters"),
        ("PMCRM_AI_EMBEDDING_MODEL", "hunter2\n", "control characters"),
        ("PMCRM_AI_TEXT_MODEL", " hunter2", "begins or ends with a space"),
        ("PMCRM_AI_EMBEDDING_DIMENSIONS", "16001", "less than or equal to 16000"),
        ("PMCRM_AI_EMBEDDING_DIMENSIONS", "0", "greater than or equal to 1"),
        ("PMCRM_AI_TIMEOUT_SECONDS", "0", "greater than 0"),
        ("PMCRM_AI_TIMEOUT_SECONDS", "nan", "greater than 0|less than or equal to 600"),
        ("PMCRM_AI_TIMEOUT_SECONDS", "inf", "less than or equal to 600"),
        ("PMCRM_AI_ATTEMPTS", "0", "greater than or equal to 1"),
        ("PMCRM_AI_BATCH_SIZE", "2049", "less than or equal to 2048"),
        ("PMCRM_AI_CONCURRENCY", "0", "greater than or equal to 1"),
    ],
)
def test_a_bad_value_is_one_sentence_with_the_variable_and_without_the_value(monkeypatch, variable, value, says):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    sentence = str(caught.value)
    assert sentence.startswith(f"{variable} cannot be used: ")
    assert re.search(says, sentence)
    assert "hunter2" not in sentence
    assert "\n" not in sentence
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("variable", "needed"),
    [
        ("PMCRM_AI_EMBEDDING_MODEL", "PMCRM_AI_BASE_URL"),
        ("PMCRM_AI_TEXT_MODEL", "PMCRM_AI_BASE_URL"),
        ("PMCRM_AI_EMBEDDING_DIMENSIONS", "PMCRM_AI_EMBEDDING_MODEL"),
    ],
)
def test_a_setting_of_the_provider_without_the_one_that_it_needs_is_refused(monkeypatch, variable, needed):
    monkeypatch.setenv(variable, "384")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert str(caught.value) == f"{variable} is set, and {needed} is not: set both or neither."


def test_without_variables_there_is_no_provider_and_an_address_alone_gives_it_nothing_to_do(monkeypatch):
    settings = Settings.load()
    assert (settings.ai_base_url, settings.ai_key, settings.ai_embedding_model, settings.ai_text_model) == (None,) * 4
    monkeypatch.setenv("PMCRM_AI_BASE_URL", "http://127.0.0.1:11434/v1//")
    settings = Settings.load()
    assert settings.ai_base_url == "http://127.0.0.1:11434/v1"
    assert (settings.ai_embedding_model, settings.ai_text_model) == (None, None)


def test_secrets_may_come_from_files(monkeypatch, tmp_path):
    for variable, value in (
        ("PMCRM_OPERATOR_KEY", SECRET),
        ("PMCRM_PAGE_TOKEN_KEYS", RING),
        ("PMCRM_AI_KEY", SECRET),
    ):
        (tmp_path / variable).write_text(f"{value}\n")
        monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / variable))
    (tmp_path / "url").write_text("postgresql://u:p@db/x\n")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    settings = Settings.load()
    assert settings.operator_key is not None
    assert settings.operator_key.get_secret_value() == SECRET
    assert settings.ai_key is not None
    assert settings.ai_key.get_secret_value() == SECRET
    assert settings.key_ring("page_token_keys").writing.id == "new"
    assert settings.database_url_for("contacts") == "postgresql://u:p@db/x"


def test_a_secret_from_two_places_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("PMCRM_OPERATOR_KEY", SECRET)
    monkeypatch.setenv("PMCRM_OPERATOR_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(SettingsError, match="PMCRM_OPERATOR_KEY and PMCRM_OPERATOR_KEY_FILE are both set"):
        Settings.load()


def test_a_secret_file_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PMCRM_SEAL_KEYS_FILE", str(tmp_path / "gone"))
    with pytest.raises(SettingsError, match=r"PMCRM_SEAL_KEYS_FILE: .*/gone cannot be read \(No such file"):
        Settings.load()


def test_no_secret_shows_in_the_representation(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:{SECRET}@db/x")
    monkeypatch.setenv("PMCRM_OPERATOR_KEY", SECRET)
    monkeypatch.setenv("PMCRM_AI_KEY", SECRET)
    monkeypatch.setenv("PMCRM_SEAL_KEYS", RING)
    settings = Settings.load().with_role_urls({"contacts": f"postgresql://u:{SECRET}@db/y"})
    assert settings.operator_key is not None
    assert settings.operator_key.get_secret_value() == SECRET
    for shown in (repr(settings), str(settings), repr(settings.seal_keys), repr(list(settings.key_ring("seal_keys")))):
        assert "hunter2" not in shown
        assert "AAAA" not in shown
        assert "\\x00" not in shown


def test_settings_reach_another_process_whole(monkeypatch, tmp_path):
    keys = local_keys(tmp_path)
    settings = Settings.load().filled_from(keys.environment()).with_role_urls({"gdpr": "postgresql://embedded"})
    arrived = pickle.loads(pickle.dumps(settings))  # noqa: S301 (what multiprocessing does)
    assert arrived == settings
    assert arrived.database_url_for("gdpr") == "postgresql://embedded"
    assert arrived.key_ring("seal_keys").writing == settings.key_ring("seal_keys").writing


def test_generated_keys_fill_what_is_unset_and_nothing_else(monkeypatch, tmp_path):
    keys = local_keys(tmp_path)
    monkeypatch.setenv("PMCRM_OPERATOR_KEY", SECRET)
    settings = Settings.load().filled_from(keys.environment())
    assert settings.operator_key is not None
    assert settings.operator_key.get_secret_value() == SECRET
    assert settings.page_token_keys == KeyRing.parse(keys.values["PMCRM_PAGE_TOKEN_KEYS"])


def test_a_child_process_is_told_what_its_environment_does_not_say(monkeypatch, tmp_path):
    keys = local_keys(tmp_path)
    monkeypatch.setenv("PMCRM_OPERATOR_KEY", SECRET)
    settings = Settings.load().filled_from(keys.environment()).with_role_urls({"service": "postgresql://embedded"})
    told = settings.secrets_of_embedded()
    assert told["DATABASE_URL_SERVICE"] == "postgresql://embedded"
    assert "PMCRM_OPERATOR_KEY" not in told
    monkeypatch.setattr("os.environ", {**os.environ, **told})
    child = Settings.load()
    assert child.key_ring("seal_keys").writing == settings.key_ring("seal_keys").writing


def test_a_missing_key_ring_is_an_error_that_says_how_to_make_one():
    with pytest.raises(SettingsError, match="PMCRM_ENCRYPTION_KEYS is not set"):
        Settings.load().key_ring("encryption_keys")


def test_a_misspelt_variable_is_noticed():
    assert unknown_variables(
        {"PMCRM_CONTACT_PORT": "1", "PMCRM_HOST": "x", "PMCRM_SEAL_KEYS_FILE": "f", "HOME": "/"}
    ) == {"PMCRM_CONTACT_PORT": "PMCRM_CONTACTS_PORT"}


def test_the_table_of_settings_has_every_setting_and_no_secret(monkeypatch):
    monkeypatch.setenv("PMCRM_SEAL_KEYS", RING)
    rows = {row.variable: row for row in setting_rows(Settings.load())}
    assert rows.keys() == {variable_of(name) for name in Settings.model_fields}
    assert all(row.description.endswith(".") for row in rows.values())
    assert rows["PMCRM_SEAL_KEYS"].value == "********"
    assert rows["PMCRM_HOST"].value == "127.0.0.1"
    assert all(row.variable in markdown_table() for row in rows.values())
    assert {variable_of(name) for name, field in Settings.model_fields.items() if is_secret(field)} == {
        "DATABASE_URL",
        "DATABASE_URL_SERVICE",
        "DATABASE_URL_OWNER",
        "PMCRM_OPERATOR_KEY",
        "PMCRM_PAGE_TOKEN_KEYS",
        "PMCRM_ENCRYPTION_KEYS",
        "PMCRM_SUPPRESSION_KEYS",
        "PMCRM_SEAL_KEYS",
        "PMCRM_AI_KEY",
    }


def test_a_bad_setting_ends_the_command_with_2_and_no_traceback():
    result = subprocess.run(
        [sys.executable, "-m", "cli", "settings"],
        env={**os.environ, "PMCRM_WORKERS": "-1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr == "pmcrm: PMCRM_WORKERS cannot be used: input should be greater than or equal to 1.\n"
