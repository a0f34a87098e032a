"""Who may do what, and how much of it: users, rules, limits, and the port that asks."""
