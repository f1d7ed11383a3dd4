"""An issue's Markdown becomes responsive HTML and readable text: compiled once, merged once a recipient. Pure."""
