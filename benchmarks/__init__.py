"""What the ladder costs. It is compared with the book's way and with other frameworks."""
