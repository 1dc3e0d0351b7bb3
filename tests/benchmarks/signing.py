"""What tokens are signed with: the bare handlers take the hub's own."""

import base64
import hashlib

# What a hub starts with: no words.
KEY = hashlib.sha256(b"sms-hub benchmarks").digest()
KEYS = f"bench:{base64.urlsafe_b64encode(KEY).decode().rstrip('=')}"
"""The same as the hub's setting."""
