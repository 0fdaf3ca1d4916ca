"""English: its tables and the rules that need code."""
