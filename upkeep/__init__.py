"""What keeps the project in shape between its releases; `make help` lists it."""
