"""A newsletter delivery system: Markdown issues, SQL audiences, email in batches, honest accounts."""

__version__ = "0.1.0"
