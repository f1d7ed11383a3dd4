"""The Celery application: `celery -A workers worker`."""
