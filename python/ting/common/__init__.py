"""What the other modules of the package share."""
