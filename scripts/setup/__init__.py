"""Set the checkout up: Python environment, Node packages, the built UI, the desktop window.

Standard library only: it runs before anything is installed.
"""
