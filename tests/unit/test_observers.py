import structlog

from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.observers import LoggedDispatch


def fail() -> None:
    raise RuntimeError("could not send Hello to +19706904544")


def test_the_fault_of_a_providers_adapter_is_logged_with_its_place_and_without_its_text() -> None:
    with structlog.testing.capture_logs() as lines:
        try:
            fail()
        except RuntimeError as fault:
            LoggedDispatch(Metrics()).adapter_failed("post", fault)

    (line,) = lines
    assert line["event"] == "provider_adapter_failed"
    assert line["provider"] == "post"
    assert line["fault"] == "RuntimeError"
    assert line["where"].startswith("test_observers.py:")
    assert "9706904544" not in str(line)
