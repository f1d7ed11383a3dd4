"""What an editor wants to know before an issue is sent: a small file for each group of checks."""
