"""What calls answer with."""
