"""From a priced book to what is published: exposures, levels, zero gamma, changes, points."""
