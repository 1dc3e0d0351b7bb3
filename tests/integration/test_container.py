"""The composition root: every port has its adapter, and nothing is touched before it is used."""

import ast
import inspect
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pytest

from adapters.sql.delivery_queue_postgresql import PostgresqlDeliveryQueue
from adapters.sql.delivery_queue_sqlite import SqliteDeliveryQueue
from adapters.sql.intake import SqlIntake
from entrypoints import container as container_module
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.e2e.running import SIGNING_KEYS
from tests.import_path import import_path

# ASGI applications have no type of their own to be annotated with.
APPLICATIONS = {"app", "internal_app"}

PROVIDED = Container.providers.keys() - {"settings"}

OIDC = {
    "public_url": "https://hub.example",
    "oidc_issuer": "https://login.example",
    "oidc_client_id": "sms-hub",
    "oidc_client_secret": "of-the-tests-alone",
}


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Where a database server could be: it notes who connects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(params=["sqlite", "postgresql"])
def container(request: pytest.FixtureRequest, tmp_path: Path, listening: socket.socket) -> Container:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    if request.param == "postgresql":
        url = f"postgresql://hub@127.0.0.1:{listening.getsockname()[1]}/hub"
    return a_container(database_url=url, **OIDC)


def a_container(**settings: str) -> Container:
    return Container(settings=Settings.from_environment(**{"signing_keys": SIGNING_KEYS, **settings}))


def promises() -> Mapping[str, Any]:
    """What each provider is annotated with. At run time `Provider[Port]` forgets its port, so the source is read."""
    module = ast.parse(inspect.getsource(container_module))
    (container,) = (each for each in module.body if isinstance(each, ast.ClassDef) and each.name == "Container")
    found = {}
    for each in container.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Subscript(value=provider, slice=promised)):
                assert ast.unparse(provider) == "providers.Provider"
                found[name] = eval(ast.unparse(promised), vars(container_module))
    return found


def implements(value: object, promised: Any) -> bool:  # noqa: ANN401
    """By inheritance: that a protocol's methods are there by chance does not count."""
    if get_origin(promised) is Mapping:
        of_keys, of_values = get_args(promised)
        return isinstance(value, Mapping) and all(
            implements(key, of_keys) and implements(each, of_values) for key, each in value.items()
        )
    if isinstance(promised, UnionType):
        return any(implements(value, each) for each in get_args(promised))
    return promised in type(value).__mro__


def test_everything_can_be_built_and_nothing_is_touched_by_that(
    container: Container, tmp_path: Path, listening: socket.socket
) -> None:
    for name in PROVIDED:
        assert getattr(container, name)() is not None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BlockingIOError):
        listening.accept()


def test_everything_but_the_applications_promises_a_type() -> None:
    assert promises().keys() == PROVIDED - APPLICATIONS


def test_what_is_provided_is_what_is_promised(container: Container) -> None:
    broken = [name for name, promised in promises().items() if not implements(getattr(container, name)(), promised)]
    assert not broken


def test_without_an_issuer_nobody_signs_in() -> None:
    container = a_container(database_url="sqlite:///hub.db")
    assert container.identity_provider() is None
    assert container.sign_in_staff() is None


def test_there_is_one_of_each(container: Container) -> None:
    assert not [name for name in PROVIDED if getattr(container, name)() is not getattr(container, name)()]


def test_two_containers_share_nothing() -> None:
    one, other = (a_container(database_url="sqlite:///hub.db") for _ in range(2))
    assert one.database() is not other.database()
    assert one.metrics().registry is not other.metrics().registry


def test_the_queue_speaks_the_databases_dialect() -> None:
    assert type(a_container(database_url="sqlite:///hub.db").queue()) is SqliteDeliveryQueue
    assert type(a_container(database_url="postgresql://hub@db/hub").queue()) is PostgresqlDeliveryQueue


def test_the_interface_counts_what_it_accepts() -> None:
    container = a_container(database_url="sqlite:///hub.db")
    assert container.send_text().intake is container.intake()
    assert not isinstance(container.intake(), SqlIntake)


def test_the_wakeups_of_the_interface_reach_the_dispatcher_of_the_same_process() -> None:
    container = a_container(database_url="sqlite:///hub.db")
    assert container.send_text().wakeups is container.dispatch_deliveries().wakeups


def test_settings_reach_what_they_set() -> None:
    container = a_container(
        stop_grace="PT3S", most_in_flight="7", enquiry_delays="PT1S,PT2S", default_region="DE", token_lifetime="PT5M"
    )
    assert container.dispatch_deliveries().grace_s == 3
    assert container.dispatch_deliveries().most_in_flight == 7
    assert container.retry().enquiry_delays_us == (1_000_000, 2_000_000)
    assert container.send_text().default_region == container.set_opt_out().default_region == "DE"
    assert container.issue_token().lifetime.total_seconds() == 300
    assert container.dispatch_deliveries().providers is container.create_program().providers


ALL_BUILT = "hub.app(), hub.dispatcher(), hub.sms_providers()"


def loaded_by(work: str, **settings: str) -> set[str]:
    """What is loaded of the heavy libraries that not every hub needs, when `work` is done with a container `hub`."""
    look = (
        "import asyncio, sys; from entrypoints.container import Container; from entrypoints.settings import Settings\n"
        f"hub = Container(settings=Settings.from_environment())\n{work}\n"
        "print(*{'aiosmtplib', 'opentelemetry', 'twilio.rest', 'vonage_http_client'} & sys.modules.keys())"
    )
    given = {f"SMSHUB_{name.upper()}": value for name, value in settings.items()}
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": import_path(),
        "SMSHUB_SIGNING_KEYS": SIGNING_KEYS,
        **given,
    }
    done = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_opentelemetry_is_loaded_where_traces_are_on_alone() -> None:
    assert loaded_by(ALL_BUILT, traces="off") == set()
    assert loaded_by(ALL_BUILT, traces="otlp") == {"opentelemetry"}


@pytest.mark.parametrize(
    ("provider", "library"),
    [("twilio", "twilio.rest"), ("vonage", "vonage_http_client"), ("mail", "aiosmtplib")],
)
def test_the_library_of_a_provider_is_loaded_when_that_provider_gets_ready(provider: str, library: str) -> None:
    assert loaded_by(f"{ALL_BUILT}; asyncio.run(hub.sms_providers()['{provider}'].prepare())") == {library}
