"""What LoRA can be attached to in every architecture of the installed engine."""
