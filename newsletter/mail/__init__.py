"""Mail itself: addresses, envelopes, MIME bytes, DKIM, the SMTP transport and the catch-all outbox."""
