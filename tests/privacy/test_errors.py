import pickle
from collections.abc import Iterator

import pytest
from django.utils import translation

from privacy import errors
from privacy.errors import KeyUnknown, PrivacyError, ReasonMissing, ShukeError


def _all(base: type[ShukeError]) -> Iterator[type[ShukeError]]:
    for error in base.__subclasses__():
        yield error
        yield from _all(error)


def test_details_fill_the_message_and_travel_with_it():
    error = KeyUnknown(key="k1")
    with translation.override("en"):
        assert str(error) == "The key k1 is not in the key ring."
    assert error.details == {"key": "k1"}
    assert pickle.loads(pickle.dumps(error)).details == {"key": "k1"}


def test_a_message_is_in_the_language_of_the_reader_not_of_the_raiser(monkeypatch):
    monkeypatch.setattr(ReasonMissing, "message", translation.gettext_lazy("Monday"))
    with translation.override("en"):
        error = ReasonMissing()
    with translation.override("zh-hans"):
        assert str(error) == "星期一"


@pytest.mark.parametrize("error", list(_all(PrivacyError)))
def test_every_reason_has_its_own_code_and_a_client_or_server_status(error):
    assert error.code.split(".")[0] in {"privacy", "api"}
    assert 400 <= error.status < 600
    assert error.__doc__
    assert error.message is not ShukeError.message


def test_no_two_reasons_share_a_code():
    codes = [error.code for error in _all(PrivacyError)]
    assert len(codes) == len(set(codes)) > 10
    assert errors.NotAllowed.status == 403
