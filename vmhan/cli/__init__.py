"""What command lines of the package share."""
