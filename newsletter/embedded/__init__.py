"""The embedded setting: everything one machine needs, run as child processes of one command."""
