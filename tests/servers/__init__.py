"""Real servers for tests: PostgreSQL, Valkey and an SMTP server whose replies can be scripted."""
