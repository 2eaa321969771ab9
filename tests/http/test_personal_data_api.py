"""Personal data in an uploaded document: warned of, or refused where the platform is set so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bol_service.application.documents import Documents
from bol_service.http.edge import Services
from bol_service.settings import SettingsError, from_environment
from tests import kit
from tests.desk import STORY, Desk
from tests.documents import corridor_document
from tests.many_bills import Maker

PATH = "/v1/documents"
NUMBER = "13800138000"
SETTINGS = {
    "BOL_ORIGIN": "demo.a/b",
    "BOL_PLATFORM_CODE": "CQGY",
    "BOL_DATABASE_URL": "sqlite:///x",
    "BOL_STATE_DIR": "state",
    "BOL_BASE_URL": "http://127.0.0.1",
    "BOL_LOG_KEY": "env:A",
    "BOL_STATEMENT_KEY": "env:B",
    "BOL_KEY_PASSPHRASE": "x",
    "BOL_REGISTRAR_KIDS": "k",
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kit.Platform]:
    with kit.platform(tmp_path_factory.mktemp("personal")) as started:
        started.set_clock(STORY)
        services = started.running.services
        maker = Maker(
            desk=Desk(signers=started.signers),
            recorder=services.recorder,
            documents=services.documents,
        )
        maker.open_log()
        yield started


@pytest.fixture
def refusing(platform: kit.Platform) -> Iterator[kit.Platform]:
    """The same platform as if BOL_PERSONAL_DATA were `refuse`."""
    extensions = platform.running.app.extensions
    before: Services = extensions["bol"]
    documents = Documents(
        platform.running.store, before.documents._clock, kit.ORIGIN, refuse_personal_data=True
    )
    extensions["bol"] = replace(before, documents=documents)
    yield platform
    extensions["bol"] = before


def upload(
    platform: kit.Platform,
    document: Any,
    kind: str = "transport-document",
    content_type: str = "application/json",
) -> TestResponse:
    token = platform.client("xlsc", STORY).token()
    return platform.running.app.test_client().post(
        f"{PATH}?kind={kind}",
        data=json.dumps(document).encode(),
        headers={"Authorization": f"Bearer {token}"},
        content_type=content_type,
    )


def with_marks(*marks: str, reference: str) -> Any:
    document = corridor_document(transportDocumentReference=reference)
    document["consignmentItems"][0]["shippingMarks"] = list(marks)
    return document


def test_a_document_with_a_telephone_number_is_kept_with_a_warning(platform: kit.Platform) -> None:
    answer = upload(platform, with_marks("YL", f"MR LI {NUMBER}", reference="XLSCPERS01"))
    assert answer.status_code == 201
    (warning,) = answer.json["warnings"]
    assert warning["pointer"] == "/consignmentItems/0/shippingMarks/1"
    assert warning["rule"] == "phone"
    assert NUMBER not in answer.text


def test_a_document_without_personal_data_has_no_warnings(platform: kit.Platform) -> None:
    answer = upload(platform, with_marks("YL", reference="XLSCPERS02"))
    assert "warnings" not in answer.json


def test_instructions_are_not_searched_as_they_hold_contacts(platform: kit.Platform) -> None:
    answer = upload(platform, {"note": NUMBER}, "shipping-instructions")
    assert (answer.status_code, "warnings" in answer.json) == (201, False)


def test_a_platform_that_takes_none_refuses_it_and_keeps_nothing(refusing: kit.Platform) -> None:
    document = with_marks(f"TEL {NUMBER}", "li@parts.example", reference="XLSCPERS03")
    answer = upload(refusing, document)
    assert (answer.status_code, answer.json["code"]) == (422, "personal_data")
    assert answer.json["pointer"] == "/consignmentItems/0/shippingMarks/0"
    assert "/consignmentItems/0/shippingMarks/1" in answer.json["detail"]
    assert NUMBER not in answer.text
    assert "li@parts.example" not in answer.text


def test_a_platform_that_takes_none_keeps_all_other_documents(refusing: kit.Platform) -> None:
    answer = upload(refusing, with_marks("YL", reference="XLSCPERS04"))
    assert answer.status_code == 201


def test_disclosures_are_sent_as_what_they_are(platform: kit.Platform) -> None:
    answer = upload(platform, {}, "disclosure")
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")
    answer = upload(platform, {}, "disclosure", "application/sd-jwt")
    assert (answer.status_code, answer.json["code"]) == (422, "bad_event")
    answer = upload(platform, corridor_document(), content_type="application/sd-jwt")
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")


SET = [
    pytest.param({}, False, id="not set"),
    pytest.param({"BOL_PERSONAL_DATA": "warn"}, False, id="warn"),
    pytest.param({"BOL_PERSONAL_DATA": " refuse "}, True, id="refuse"),
]


@pytest.mark.parametrize(("setting", "refuses"), SET)
def test_the_setting_decides(setting: dict[str, str], refuses: bool) -> None:
    assert from_environment(SETTINGS | setting).refuse_personal_data is refuses


def test_another_setting_stops_the_service() -> None:
    with pytest.raises(SettingsError, match="BOL_PERSONAL_DATA is 'yes'"):
        from_environment(SETTINGS | {"BOL_PERSONAL_DATA": "yes"})
