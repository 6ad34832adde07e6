"""What chapter 5 claims, and whether it holds: verdicts, figures, a page."""
