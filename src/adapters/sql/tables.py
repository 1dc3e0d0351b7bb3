"""The hub's tables, the same on SQLite and PostgreSQL. All times are microseconds since the Unix epoch."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    and_,
    literal_column,
    select,
    text,
)

from domain.model.delivery import DeliveryState

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite counts up only columns that are INTEGER to the letter; its integers have 64 bits all the same.
_Id = BigInteger().with_variant(Integer, "sqlite")


def _identity() -> Column[int]:
    return Column("id", _Id, Identity(), primary_key=True)


# One row: what holds for the hub as a whole.
hub = Table(
    "hub",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("paused_us", BigInteger),
)

# What senders share: so many a day, and so many segments or requests in a while. A limit may stand under another.
limits = Table(
    "limits",
    metadata,
    _identity(),
    Column("name", Text, nullable=False),
    Column("parent_id", _Id, ForeignKey("limits.id")),
    Column("counts", Text, nullable=False),
    Column("pace_numerator", BigInteger),
    Column("pace_denominator", BigInteger),
    # The stretches of time that are taken, as JSON: [[start_us, end_us], …].
    Column("taken", Text, nullable=False, server_default=text("'[]'")),
    # So many a day of the zone, and how many of them were used on which day (its number since 1 January of the year 1).
    Column("daily", BigInteger),
    Column("zone", Text),
    Column("day", BigInteger),
    Column("used", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("name"),
    CheckConstraint("counts IN ('requests', 'segments')", name="counts_known"),
)

provider_accounts = Table(
    "provider_accounts",
    metadata,
    _identity(),
    Column("provider", Text, nullable=False),
    Column("account", Text, nullable=False),
    # Encrypted; NULL for providers that take none.
    Column("credentials", LargeBinary),
    Column("limit_id", _Id),
    UniqueConstraint("provider", "account"),
)

senders = Table(
    "senders",
    metadata,
    _identity(),
    Column("account_id", _Id, ForeignKey("provider_accounts.id"), nullable=False),
    Column("address", Text, nullable=False),
    # Segments per second, as an exact fraction.
    Column("pace_numerator", BigInteger, nullable=False),
    Column("pace_denominator", BigInteger, nullable=False),
    # The virtual schedule: when the line is free again.
    Column("next_free_us", BigInteger, nullable=False, server_default=text("0")),
    # When to claim next; NULL while nothing is queued.
    Column("due_us", BigInteger),
    # The dispatcher that claimed last.
    Column("owner", BigInteger),
    Column("limit_id", _Id),
    # How much the provider queues for this sender by itself; 0 where texts are to leave one after the other.
    Column("backlog_us", BigInteger, nullable=False, server_default=text("0")),
    # Whose turn it is among programs and priorities, as JSON; NULL while there is one of each.
    Column("turns", Text),
    Column("paused_us", BigInteger),
    # Why the provider takes nothing from it at all, and how often in a row it said so.
    Column("bar_reason", Text),
    Column("bars", SmallInteger, nullable=False, server_default=text("0")),
    # Who answers keywords that are texted to it; NULL: as is usual with its provider.
    Column("opt_out_replies", Text),
    UniqueConstraint("account_id", "address"),
    CheckConstraint("pace_numerator > 0 AND pace_denominator > 0", name="pace_positive"),
)
_claimable = senders.c.due_us.is_not(None)
Index("ix_senders_due", senders.c.due_us, postgresql_where=_claimable, sqlite_where=_claimable)

programs = Table(
    "programs",
    metadata,
    Column("id", Text, primary_key=True),
    # Programs are found by their id in any letter case.
    Column("folded_id", Text, nullable=False),
    Column("sid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sender_id", _Id, ForeignKey("senders.id"), nullable=False),
    Column("segment_cap", SmallInteger, nullable=False),
    Column("token_lifetime_s", BigInteger),
    Column("first_hub", Boolean, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("paused_us", BigInteger),
    # For how long its texts are kept; NULL: as long as the hub keeps any.
    Column("retention_s", BigInteger),
    # What becomes of a text when nobody can tell whether it was sent.
    Column("on_unknown", Text, nullable=False, server_default=text("'leave'")),
    # Whether its other senders take over what one of them cannot send.
    Column("failover", Boolean, nullable=False, server_default=text("false")),
    # When its recipients may be texted, by their own clocks; NULL: at any time.
    Column("texting_hours", Text),
    # Is added to the first text that somebody gets.
    Column("notice", Text),
    Column("opt_out_reply", Text),
    Column("opt_in_reply", Text),
    Column("help_reply", Text),
    # The e-mail address that gets its texts in place of their recipients.
    Column("mail_to", Text),
    Column("urgent_any_time", Boolean, nullable=False, server_default=text("false")),
    # For how long the same text to the same number is not sent twice.
    Column("duplicate_window_s", BigInteger),
    Column("suspended_us", BigInteger),
    # Whose numbers it texts, with commas between; NULL: all countries'.
    Column("countries", Text),
    # How many segments it may send in a day and a month of `budget_zone`.
    Column("daily_segments", BigInteger),
    Column("monthly_segments", BigInteger),
    Column("recipients_per_request", BigInteger),
    # So many texts to one number within so long.
    Column("per_recipient_texts", BigInteger),
    Column("per_recipient_s", BigInteger),
    Column("budget_zone", Text, nullable=False, server_default=text("'UTC'")),
    # From then on nobody finds it; its row and its record go later.
    Column("deleted_us", BigInteger),
    UniqueConstraint("folded_id"),
    UniqueConstraint("sid"),
)

# Of programs.
not_deleted = programs.c.deleted_us.is_(None)

# Those that a program may name in a request, beside its own; `place` counts them in the order in which they were added.
program_senders = Table(
    "program_senders",
    metadata,
    Column("program_id", Text, ForeignKey("programs.id"), primary_key=True),
    Column("sender_id", _Id, ForeignKey("senders.id"), primary_key=True),
    Column("place", SmallInteger, nullable=False, server_default=text("0")),
)

program_keys = Table(
    "program_keys",
    metadata,
    _identity(),
    Column("program_id", Text, ForeignKey("programs.id"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False),
    Column("pepper_id", Text),
    Column("created_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, server_default=text("'live'")),
    Column("name", Text, nullable=False, server_default=text("''")),
    # How the key begins, for people.
    Column("hint", Text, nullable=False, server_default=text("''")),
    # Lists with spaces between; NULL: the usual scopes, no number, any network.
    Column("scopes", Text),
    Column("numbers", Text),
    Column("networks", Text),
    Column("expires_us", BigInteger),
    Column("last_used_us", BigInteger),
    Column("revoked_us", BigInteger),
)

# What operators have changed. Rows are added and never changed.
audit_events = Table(
    "audit_events",
    metadata,
    _identity(),
    Column("at_us", BigInteger, nullable=False),
    # Who, by which way, and from where.
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("address", Text),
    Column("action", Text, nullable=False),
    # What was changed, such as a key of the program.
    Column("subject", Text, nullable=False),
    Column("program_id", Text),
    # What was and what is, by name, as JSON; nothing secret.
    Column("changes", Text, nullable=False),
    Index("ix_audit_events_program_id", "program_id", "id"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("program_id", Text, ForeignKey("programs.id"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("since_us", BigInteger, nullable=False),
    # The proof; NULL where there is none, from before there was a record.
    Column("event_id", _Id),
)

# Opt-outs from all that comes from a sender; of the sender 0, which is none, from whatever comes.
sender_opt_outs = Table(
    "sender_opt_outs",
    metadata,
    Column("sender_id", _Id, primary_key=True, autoincrement=False),
    Column("number", Text, primary_key=True),
    Column("since_us", BigInteger, nullable=False),
    Column("event_id", _Id),
)

# What was said about being texted, by whom, when and how. Rows are added and never changed; they go with the number.
consent_events = Table(
    "consent_events",
    metadata,
    _identity(),
    Column("number", Text, nullable=False),
    # Whose texts it is about; NULL and NULL: all.
    Column("program_id", Text),
    Column("sender_id", _Id),
    Column("consent", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("wording", Text),
    Column("actor", Text),
    Column("reference", Text),
    CheckConstraint("consent IN ('opt-in', 'opt-out')", name="consent_known"),
    Index("ix_consent_events_number", "number", "id"),
)

text_messages = Table(
    "text_messages",
    metadata,
    # UUIDv7 of the time of acceptance: the log is paged and searched by them.
    Column("id", Uuid, primary_key=True),
    Column("program_id", Text, ForeignKey("programs.id"), nullable=False),
    Column("sender_id", _Id, ForeignKey("senders.id"), nullable=False),
    Column("body", Text, nullable=False),
    Column("recipients", Integer, nullable=False),
    Column("client_date_sent", Text),
    Column("created_us", BigInteger, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default=text("1")),
    Column("send_at_us", BigInteger),
    Column("expires_us", BigInteger),
    # From then on nothing of it is sent any more, whatever becomes of calls under way.
    Column("canceled_us", BigInteger),
    # When the last of it would be sent, as it looked when it was accepted.
    Column("estimated_us", BigInteger),
    # The request wants it from this sender and no other.
    Column("sender_named", Boolean, nullable=False, server_default=text("false")),
    # The span of its acceptance, as W3C writes it; NULL where nothing is traced.
    Column("trace_parent", Text),
    # The hub's own answer to a keyword: who has opted out gets it all the same.
    Column("is_reply", Boolean, nullable=False, server_default=text("false")),
    # What is added to it for those who had no text of the program's before.
    Column("notice", Text),
    # The sandbox takes it, whatever the sender.
    Column("is_test", Boolean, nullable=False, server_default=text("false")),
    # What its body was made from; NULL where it came in words of its own.
    Column("template", Text),
    Column("template_version", Integer),
    # The person who sent it; NULL where the program itself did.
    Column("sent_by", Text),
)
Index("ix_text_messages_log", text_messages.c.program_id, text_messages.c.id)

# What requests with a key were answered with, beside the message: `first_counts` are its deliveries by their first
# state, `refusals` the numbers that it does without; both are JSON.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("program_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("first_counts", Text, nullable=False),
    Column("refusals", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("ix_idempotency_keys_created_us", "created_us"),
)

# Texts of programs that hold duplicates back: until when the same one to the same number is one.
recent_texts = Table(
    "recent_texts",
    metadata,
    Column("program_id", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("message_id", Uuid, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Index("ix_recent_texts_until_us", "until_us"),
)

# How many segments programs with a budget have used of it in a day or month, counted from `since_us` on.
budget_uses = Table(
    "budget_uses",
    metadata,
    Column("program_id", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("used", BigInteger, nullable=False),
    # The percentage that was told of last.
    Column("told", SmallInteger, nullable=False, server_default=text("0")),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Index("ix_budget_uses_until_us", "until_us"),
)

# What a segment costs in a country.
prices = Table(
    "prices",
    metadata,
    Column("country", Text, primary_key=True),
    # A decimal number.
    Column("amount", Text, nullable=False),
    Column("currency", Text, nullable=False),
)

# What programs sent on a day, of texts that are deleted since. A message is counted with one of its countries alone.
past_usage = Table(
    "past_usage",
    metadata,
    Column("program_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("sender_id", _Id, primary_key=True, autoincrement=False),
    Column("state", Text, primary_key=True),
    Column("country", Text, primary_key=True),
    Column("messages", BigInteger, nullable=False),
    Column("deliveries", BigInteger, nullable=False),
    Column("segments", BigInteger, nullable=False),
)

_STATES = ", ".join(f"'{state.value}'" for state in DeliveryState)

deliveries = Table(
    "deliveries",
    metadata,
    # Counts up, so it is the order of first come, first served.
    _identity(),
    Column("message_id", Uuid, ForeignKey("text_messages.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("program_id", Text, nullable=False),
    Column("sender_id", _Id, nullable=False),
    Column("number", Text, nullable=False),
    Column("segments", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", SmallInteger, nullable=False),
    Column("enquiries", SmallInteger, nullable=False),
    Column("reason", Text),
    Column("provider_reference", Text),
    # The dispatcher of the current attempt, and the slot that it has for it.
    Column("claimed_by", BigInteger),
    Column("slot_us", BigInteger),
    Column("due_us", BigInteger),
    Column("updated_us", BigInteger, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default=text("1")),
    Column("expires_us", BigInteger),
    # How often it was sent again although it may have been sent before.
    Column("resends", SmallInteger, nullable=False, server_default=text("0")),
    Column("has_notice", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(f"state IN ({_STATES})", name="state_known"),
    UniqueConstraint("message_id", "position"),
    # Two updates and no delete in a delivery's life: room on the page for them, and vacuum early.
    postgresql_with={"fillfactor": "85", "autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "20000"},
)

# With the states written out, as SQLite wants it to find a query's partial index.
queued = deliveries.c.state == text("'queued'")
sending = deliveries.c.state == text("'sending'")
_due = deliveries.c.due_us.is_not(None)
_in_line = deliveries.c.sender_id, deliveries.c.priority, deliveries.c.program_id, deliveries.c.id
Index("ix_deliveries_line", *_in_line, postgresql_where=queued, sqlite_where=queued)
Index("ix_deliveries_claimed", deliveries.c.claimed_by, postgresql_where=sending, sqlite_where=sending)
Index("ix_deliveries_due", deliveries.c.due_us, postgresql_where=_due, sqlite_where=_due)
waiting = deliveries.c.state.in_([literal_column("'scheduled'"), literal_column("'queued'")])
_expiring = deliveries.c.expires_us.is_not(None) & waiting
Index("ix_deliveries_expiring", deliveries.c.expires_us, postgresql_where=_expiring, sqlite_where=_expiring)
retried = (deliveries.c.state == text("'scheduled'")) & (deliveries.c.failures > text("0"))
_having_failed = deliveries.c.sender_id, deliveries.c.program_id, deliveries.c.reason, deliveries.c.failures
Index("ix_deliveries_retried", *_having_failed, postgresql_where=retried, sqlite_where=retried)
unknown = deliveries.c.state == text("'unknown'")
Index("ix_deliveries_unknown", deliveries.c.slot_us, postgresql_where=unknown, sqlite_where=unknown)
Index("ix_deliveries_number", deliveries.c.number, deliveries.c.message_id)

# What providers told the hub, as it came: receipts, and what people texted back.
callbacks = Table(
    "callbacks",
    metadata,
    _identity(),
    # Whose reader understands it.
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", _Id, nullable=False),
    # The same however often the provider tells the same, and the mark of a signature that is good for one call.
    Column("key", Text, nullable=False),
    Column("nonce", Text),
    Column("delivery_id", _Id),
    # JSON, named as the provider names them.
    Column("fields", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    # When to work it off; NULL where there is nothing to do, any more or as yet.
    Column("due_us", BigInteger),
    # What came of it.
    Column("outcome", Text),
    # Of an inbound text that comes in parts: which text, and which part of how many.
    Column("part_of", Text),
    Column("part_number", Integer),
    Column("part_total", Integer),
    UniqueConstraint("account_id", "kind", "key"),
    UniqueConstraint("nonce", "account_id"),
)
_to_be_worked_off = callbacks.c.due_us.is_not(None)
Index("ix_callbacks_due", callbacks.c.due_us, postgresql_where=_to_be_worked_off, sqlite_where=_to_be_worked_off)
_to_be_joined = and_(callbacks.c.part_of.is_not(None), callbacks.c.outcome.is_(None))
Index(
    "ix_callbacks_parts",
    callbacks.c.account_id,
    callbacks.c.part_of,
    postgresql_where=_to_be_joined,
    sqlite_where=_to_be_joined,
)
Index("ix_callbacks_kept", callbacks.c.kind, callbacks.c.received_us)

# Those that came whole and were not looked at yet.
_to_be_taken_in = and_(
    callbacks.c.kind == text("'inbound'"), callbacks.c.part_of.is_(None), callbacks.c.outcome.is_(None)
)
Index("ix_callbacks_inbound", callbacks.c.id, postgresql_where=_to_be_taken_in, sqlite_where=_to_be_taken_in)

# What people texted back, with the program that it is for.
inbound_messages = Table(
    "inbound_messages",
    metadata,
    _identity(),
    Column("program_id", Text, nullable=False),
    Column("sender_id", _Id, nullable=False),
    Column("number", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("keyword", Text),
    # The message that the program sent to the number last.
    Column("answers_id", Uuid),
    Column("callback_id", _Id, nullable=False),
    # When to answer it; NULL where there is nothing to answer, any more or at all.
    Column("reply_due_us", BigInteger),
    Column("reply_id", Uuid),
    UniqueConstraint("callback_id"),
    Index("ix_inbound_messages_log", "program_id", "id"),
    Index("ix_inbound_messages_number", "number", "id"),
)
_to_be_replied = inbound_messages.c.reply_due_us.is_not(None)
Index(
    "ix_inbound_messages_reply",
    inbound_messages.c.reply_due_us,
    postgresql_where=_to_be_replied,
    sqlite_where=_to_be_replied,
)

# The programs' own addresses that the hub calls.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("program_id", Text, ForeignKey("programs.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("description", Text),
    # The types of events that it wants, with commas between.
    Column("events", Text, nullable=False),
    # Encrypted; the old one holds for a while after a rotation.
    Column("secret", LargeBinary, nullable=False),
    Column("old_secret", LargeBinary),
    Column("old_until_us", BigInteger),
    Column("created_us", BigInteger, nullable=False),
    # Why it is called no more; NULL: it is.
    Column("disabled", Text),
    # How many calls in a row were not accepted, since when, and until when it is left alone.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("failing_since_us", BigInteger),
    Column("rests_until_us", BigInteger),
)

# What programs are told, stored with what it tells of. Its id is its sequence.
webhook_events = Table(
    "webhook_events",
    metadata,
    _identity(),
    Column("uid", Uuid, nullable=False),
    Column("program_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),
    # JSON, as it is told.
    Column("data", Text, nullable=False),
    UniqueConstraint("uid"),
    UniqueConstraint("subject", "key", "program_id"),
    Index("ix_webhook_events_at_us", "at_us"),
    # A sequence grows, whatever was deleted.
    sqlite_autoincrement=True,
)

# One event for one endpoint.
webhook_calls = Table(
    "webhook_calls",
    metadata,
    _identity(),
    Column("webhook_id", Uuid, nullable=False),
    Column("event_id", _Id, nullable=False),
    Column("subject", Text, nullable=False),
    # When to make it; NULL where it was accepted or given up.
    Column("due_us", BigInteger),
    Column("failures", SmallInteger, nullable=False, server_default=text("0")),
    Column("accepted", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("event_id", "webhook_id"),
    Index("ix_webhook_calls_due", "webhook_id", "due_us"),
)
_to_be_made = webhook_calls.c.due_us.is_not(None)
Index(
    "ix_webhook_calls_subject",
    webhook_calls.c.webhook_id,
    webhook_calls.c.subject,
    webhook_calls.c.event_id,
    postgresql_where=_to_be_made,
    sqlite_where=_to_be_made,
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    _identity(),
    Column("webhook_id", Uuid, nullable=False),
    Column("event_id", _Id, nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("status", SmallInteger),
    Column("error", Text),
    Column("took_ms", Integer, nullable=False),
    Index("ix_webhook_attempts_log", "webhook_id", "id"),
)

# The programs' texts with placeholders, by their names in lower case. What is retired is kept, so that a name and a
# number never stand for another text.
templates = Table(
    "templates",
    metadata,
    Column("program_id", Text, ForeignKey("programs.id"), primary_key=True),
    Column("folded_name", Text, primary_key=True),
    Column("name", Text, nullable=False),
    # The number of the newest.
    Column("versions", Integer, nullable=False),
    Column("retired_us", BigInteger),
)

template_versions = Table(
    "template_versions",
    metadata,
    Column("program_id", Text, primary_key=True),
    Column("folded_name", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    ForeignKeyConstraint(["program_id", "folded_name"], ["templates.program_id", "templates.folded_name"]),
)

# How often somebody tried to log in within a minute: a program from an address, or badly from an address at all. `who`
# is a digest of that.
login_attempts = Table(
    "login_attempts",
    metadata,
    Column("who", LargeBinary, primary_key=True),
    Column("attempts", BigInteger, nullable=False),
    Column("ends_us", BigInteger, nullable=False),
    Index("ix_login_attempts_ends_us", "ends_us"),
)

# Numbers that are to be forgotten: what came of them until then. The row goes when nothing is left.
erasures = Table(
    "erasures",
    metadata,
    Column("number", Text, primary_key=True),
    Column("until_us", BigInteger, nullable=False),
    Column("keep_opt_outs", Boolean, nullable=False),
    # How much was erased so far, by what it is, as JSON.
    Column("erased", Text, nullable=False, server_default=text("'{}'")),
)

# What members of groups at the identity provider may do: in a program, or as operators, where the program is NULL.
staff_roles = Table(
    "staff_roles",
    metadata,
    _identity(),
    Column("group_name", Text, nullable=False),
    Column("program_id", Text, ForeignKey("programs.id")),
    Column("role", Text, nullable=False),
    CheckConstraint("(role = 'operator') = (program_id IS NULL)", name="role_has_program"),
)
_of_operators = staff_roles.c.program_id.is_(None)
Index("ix_staff_roles_program", staff_roles.c.program_id, staff_roles.c.group_name, unique=True)
Index(
    "ix_staff_roles_operators",
    staff_roles.c.group_name,
    unique=True,
    postgresql_where=_of_operators,
    sqlite_where=_of_operators,
)

hub_paused = select(hub.c.id).where(hub.c.paused_us.is_not(None)).exists()
paused_programs = select(programs.c.id).where(programs.c.paused_us.is_not(None))

dispatchers = Table(
    "dispatchers",
    metadata,
    _identity(),
    Column("started_us", BigInteger, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
    # An id is never used again: a dispatcher that comes back late must not be taken for another.
    sqlite_autoincrement=True,
)
