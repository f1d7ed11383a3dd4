"""Webhooks of services that deliver mail, a file each: `verify` says whether they sent it, `signals` what it says."""
