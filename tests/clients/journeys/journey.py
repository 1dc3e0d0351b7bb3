"""What an office does with the client that is generated for Python."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from sms_hub import (
    AccessApi,
    ApiClient,
    ApiException,
    Configuration,
    Credentials,
    NewPreview,
    NewSubscriber,
    NewTextMessage,
    Priority,
    Problem,
    SubscribersApi,
    TextMessagesApi,
)


def problem_of(call: Callable[[], object]) -> Problem:
    try:
        call()
    except ApiException as error:
        return error.data
    raise AssertionError("The call was to be refused.")


url, program_sid, program_key = sys.argv[1:]

configuration = Configuration(host=url)
client = ApiClient(configuration)
texts = TextMessagesApi(client)

token = AccessApi(client).log_in(Credentials(program_sid=program_sid, program_key=program_key))
configuration.access_token = token

new = NewTextMessage(
    message="Your appointment is at 10:30.",
    phone_number="(970) 690-4544, 970.690.4545",
    priority=Priority.URGENT,
    expires_at=datetime(2030, 1, 1, 17, 30, tzinfo=UTC),
)
sent = texts.send_text_message(new, idempotency_key="appointment-1", prefer="wait=30")
again = texts.send_text_message(new, idempotency_key="appointment-1", prefer="wait=30")
text = texts.get_text_message(sent.id)
deliveries = texts.list_deliveries(sent.id, limit=10)
listed = texts.list_text_messages(status=text.status)
preview = texts.preview_text_message(NewPreview(message="Don't forget…", phone_number="970-690-4544"))
subscriber = SubscribersApi(client).set_subscriber(NewSubscriber(phone_number="970-690-4546", do_not_text=True))

refused = problem_of(lambda: texts.send_text_message(NewTextMessage(message="Hello", phone_number="970-690-4544, 12")))
stranger = ApiClient(Configuration(host=url, access_token="stale"))
stale = problem_of(lambda: TextMessagesApi(stranger).list_text_messages())

print(
    json.dumps(
        {
            "Token": token,
            "Id": str(sent.id),
            "AgainId": str(again.id),
            "Status": text.status,
            "Priority": text.priority,
            "DateSent": text.date_sent.isoformat(),
            "ExpiresAt": text.expires_at.isoformat(),
            "SendAt": text.send_at,
            "Counts": text.counts,
            "Numbers": [each.phone_number for each in deliveries.items],
            "Listed": [str(each.id) for each in listed.items],
            "NextCursor": listed.next_cursor,
            "Encoding": preview.encoding,
            "Obstacle": preview.obstacles[0].character,
            "Recipients": preview.audience.recipients,
            "Cost": preview.audience.estimated_cost,
            "OptedOut": [subscriber.phone_number, subscriber.do_not_text],
            "Refused": [refused.status, refused.type, refused.detail, refused.errors[0].position],
            "Stale": [stale.status, stale.type],
        }
    )
)
