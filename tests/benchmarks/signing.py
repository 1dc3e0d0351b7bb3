"""What tokens are signed with: the bare handlers take the hub's own."""

import base64

KEY = b"the benchmarks sign with this key"
KEYS = f"bench:{base64.urlsafe_b64encode(KEY).decode().rstrip('=')}"
"""The same as the hub's setting."""
