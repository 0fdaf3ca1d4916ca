"""Pages, turns and trials -> lab results, facts and criteria."""
