"""Publications, their issues and the texts these have had."""
