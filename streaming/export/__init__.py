"""Figures in the words of other programs that draw them."""
