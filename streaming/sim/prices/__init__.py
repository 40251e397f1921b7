"""The simulated market: what there is, when it trades, and how prices move."""
