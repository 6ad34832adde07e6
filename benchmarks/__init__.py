"""What the ladder costs, beside the book's way, other frameworks and the machine's limits."""
