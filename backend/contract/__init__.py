"""What server and engines both know, written once, with the standard library only."""
