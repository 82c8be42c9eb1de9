"""Reliability: kill the server, the engine or both, again and again, and look what is left."""
