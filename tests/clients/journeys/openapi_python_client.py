"""The beginning of the journey, with the client that openapi-python-client generates."""

import json
import sys

import httpx
from smshub import AuthenticatedClient
from smshub.api.text_messages import get_text_message, preview_text_message, send_text_message
from smshub.models import NewPreview, NewTextMessage, Priority

url, program_sid, program_key = sys.argv[1:]

# The `log_in` that it generates cannot be imported: a body of two media types is too much for it.
token = httpx.post(f"{url}/api/Login", json={"ProgramSID": program_sid, "ProgramKey": program_key}).json()
client = AuthenticatedClient(base_url=url, token=token)

new = NewTextMessage(message="Your appointment is at 10:30.", phone_number="(970) 690-4544", priority=Priority.URGENT)
sent = send_text_message.sync(client=client, body=new, idempotency_key="appointment-1")
text = get_text_message.sync(sent.id, client=client)
preview = preview_text_message.sync(client=client, body=NewPreview(message="Don't forget…"))
refused = send_text_message.sync(client=client, body=NewTextMessage(message="Hello", phone_number="970-690-4544, 12"))

print(
    json.dumps(
        {
            "Token": token,
            "Id": str(text.id),
            "Priority": text.priority,
            "DateSent": text.date_sent.isoformat(),
            "Encoding": preview.encoding,
            "Audience": preview.audience,
            "Refused": [refused.status, refused.type_, refused.errors[0].position],
        }
    )
)
