"""`./startmlxnew` and `./killmlxnew`: set up, run the service, show it, end it."""
