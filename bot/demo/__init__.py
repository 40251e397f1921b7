"""`run_bot.py --demo`: what surrounds the bot where there is no account."""
