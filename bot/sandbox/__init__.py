"""A local Discord on loopback: REST, gateway, rate limits and a page that shows the channels live."""
