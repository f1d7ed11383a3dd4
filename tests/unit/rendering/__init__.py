"""The room that turns Markdown into email."""
