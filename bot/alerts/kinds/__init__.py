"""The kinds of alerts: what each reads, when it is due and what it says, in one file each."""
