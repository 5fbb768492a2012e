"""Distillation: from a teacher to a student; corpus, training, evaluation."""
