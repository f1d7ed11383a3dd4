"""Unit tests: they mirror the rooms."""
