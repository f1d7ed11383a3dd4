"""Lists, subscribers, their subscriptions, and how they come and go."""
