"""Tests of newsletter/mail."""
