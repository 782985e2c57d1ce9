"""What tests share: builders, models, processes, checkers. No test among them, and none is imported from a test."""
