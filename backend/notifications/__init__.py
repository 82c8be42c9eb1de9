"""Messages to services of the user when a run or a job has ended: a webhook, and ntfy."""
