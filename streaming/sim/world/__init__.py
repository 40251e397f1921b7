"""What every room of the local Schwab knows: the market, who may sign in, what goes wrong."""
