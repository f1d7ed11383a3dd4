"""Tests of newsletter/embedded."""
