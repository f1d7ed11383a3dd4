"""What readers do with a message: signed tokens out, events in."""
