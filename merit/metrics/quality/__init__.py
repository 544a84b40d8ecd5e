"""How well predicted quality agrees with what people said."""
