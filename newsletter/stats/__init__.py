"""What came of a mailing, in numbers."""
