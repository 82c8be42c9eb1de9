"""Experiments that write their own report."""
