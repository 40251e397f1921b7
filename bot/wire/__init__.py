"""How the bot talks to Discord: logging in, the gateway, what answers mean, and which of them to believe."""
