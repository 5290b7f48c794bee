"""What an agent can say of itself, as data and in words: predictions, decisions, context trees."""
