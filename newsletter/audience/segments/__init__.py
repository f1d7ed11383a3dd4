"""Segments: conditions over a list's subscribers, in one readable language (docs/segments.md)."""
