"""Signatures as Standard Webhooks has them, and what becomes of calls that fail."""

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from domain.errors import InvalidValue
from domain.model.webhook_retry import Answer, Health, is_given_up, next_call_us, rests_until_us
from domain.model.webhook_secret import WebhookSecret, signatures
from tests.unit.builders import SECOND

HOUR = 3_600 * SECOND
FAILED = Answer(took_us=1, status=500)


def headers(signed: str, *, timestamp_s: int) -> dict[str, str]:
    return {"webhook-id": "one", "webhook-timestamp": str(timestamp_s), "webhook-signature": signed}


@pytest.mark.parametrize("payload", [b'{"type":"message.sent"}', '{"Message":"Grüße 😀"}'.encode()])
def test_the_standards_own_library_takes_our_signatures(payload: bytes) -> None:
    now_s = int(datetime.now(UTC).timestamp())
    old, new, other = WebhookSecret.new(), WebhookSecret.new(), WebhookSecret.new()
    signed = signatures([new, old], "one", now_s, payload)

    for secret in (old, new):
        Webhook(secret.written()).verify(payload, headers(signed, timestamp_s=now_s))
    with pytest.raises(WebhookVerificationError):
        Webhook(other.written()).verify(payload, headers(signed, timestamp_s=now_s))
    with pytest.raises(WebhookVerificationError):
        Webhook(new.written()).verify(payload + b" ", headers(signed, timestamp_s=now_s))
    with pytest.raises(WebhookVerificationError):
        Webhook(new.written()).verify(payload, headers(signed, timestamp_s=now_s + 1))


def test_the_standards_own_example_has_the_signature_that_it_shows() -> None:
    secret = WebhookSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = secret.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_of_the_standards_length_and_shows_nothing() -> None:
    secret = WebhookSecret.new()

    assert WebhookSecret.parse(secret.written()) == secret
    assert 24 <= len(secret.key) <= 64
    assert secret.written() not in repr(secret)
    for length in (23, 65):
        with pytest.raises(InvalidValue):
            WebhookSecret.parse("whsec_" + base64.b64encode(b"k" * length).decode())
    with pytest.raises(InvalidValue):
        WebhookSecret.parse("whsec_ä")


def test_a_call_is_tried_again_later_and_later_for_three_days() -> None:
    times = [next_call_us(FAILED, failures, now_us=0, jitter=0) for failures in range(1, 11)]

    hours = [0 if each is None else each / HOUR for each in times]
    assert times[:2] == [5 * SECOND, 300 * SECOND]
    assert hours[2:] == [0.5, 2, 5, 10, 14, 20, 24, 0]
    assert times[-1] is None


def test_what_failed_together_is_not_tried_together() -> None:
    assert next_call_us(FAILED, 4, now_us=0, jitter=0) == 2 * HOUR
    assert next_call_us(FAILED, 4, now_us=0, jitter=1) == 2 * HOUR * 6 // 5


@pytest.mark.parametrize(("seconds", "after"), [(3_600, HOUR), (1, 5 * SECOND), (10**9, 24 * HOUR)])
def test_what_the_endpoint_says_is_waited_for_within_bounds(seconds: int, after: int) -> None:
    answer = Answer(took_us=1, status=429, retry_after_s=seconds)

    assert next_call_us(answer, 1, now_us=0, jitter=0) == after


def test_an_endpoint_that_fails_again_and_again_is_left_alone_longer_and_longer() -> None:
    rests = [rests_until_us(FAILED, Health(0, failures), now_us=0) for failures in (1, 2, 3, 4, 5, 100)]

    assert rests == [None, None, 5 * SECOND, 10 * SECOND, 20 * SECOND, 300 * SECOND]
    busy = Answer(took_us=1, status=503, retry_after_s=60)
    assert rests_until_us(busy, Health(0, 1), now_us=0) == 60 * SECOND


def test_after_five_days_it_is_given_up() -> None:
    assert not is_given_up(Health(0, 100), now_us=120 * HOUR - 1)
    assert is_given_up(Health(0, 2), now_us=120 * HOUR)


@pytest.mark.parametrize(
    ("status", "accepted"), [(200, True), (204, True), (299, True), (199, False), (300, False), (404, False)]
)
def test_an_answer_of_success_is_an_acceptance_and_no_other(status: int, *, accepted: bool) -> None:
    assert Answer(took_us=1, status=status).accepted is accepted
