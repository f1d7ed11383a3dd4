"""The web application, on real databases and a real Valkey."""
