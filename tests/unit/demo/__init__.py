"""The demo and its made-up people."""
