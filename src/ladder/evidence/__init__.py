"""What a climb's answers are worth, as numbers and tables."""
