"""The whole main job on this machine, with made-up people: nothing leaves it."""
