"""The pages and endpoints that browsers and mail programs reach."""
