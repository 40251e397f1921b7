"""How figures look: numbers, text, embeds and charts."""
