import warnings

# Connexion imports a test client that it does not use here, and that says so.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
