"""How things show themselves: words, tables, pictures and data frames. Imports nothing else of the package."""
