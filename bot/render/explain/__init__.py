"""What `/gex explain` says of each figure."""
