"""Other systems' exports, a table each: how to know it, what its columns hold, what its words mean."""
