"""The mind, seen: recorded runs rebuilt cycle by cycle, judged by the truth, as a page and live."""
