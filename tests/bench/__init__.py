"""Performance claims, each a ratio against something run beside it. `make bench`, or `make bench-render` for one."""
