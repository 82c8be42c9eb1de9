"""The local service: it reads run folders, tells the world, and sends signals."""

__version__ = "0.1.0"
