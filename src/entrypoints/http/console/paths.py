"""Where identity providers send browsers back to; they are told these beforehand."""

SIGNED_IN_PATH = "/console/sign-in/callback"
SIGNED_OUT_PATH = "/console/sign-in"
