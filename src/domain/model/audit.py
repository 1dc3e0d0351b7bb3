"""Who has changed what of the hub, for whoever has to know it later."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """`name` is who, as far as that is known: a person, a program's id, or the user of the machine. `via` is `api`,
    `console`, `console-oidc` where a person is signed in there, or `command-line`; `address` where the call came from,
    None where it came from the machine itself.
    """

    name: str
    via: str
    address: str | None = None


# Whoever acts at the moment. It goes along with the task that does what they want, so that nobody in between has to
# pass it on; what changes something reads it in the transaction that does so.
acting: ContextVar[Actor] = ContextVar("acting")

THE_HUB_ITSELF = Actor(name="hub", via="hub")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """`action` says what was done (`program.created`), `subject` to what. `changes` are what was and what is, by name,
    where they differ; nothing of it is secret.
    """

    id: int
    at_us: int
    actor: Actor
    action: str
    subject: str
    program_id: str | None
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)
