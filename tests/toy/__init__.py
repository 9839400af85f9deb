"""A tiny algorithm that the engine's tests train: a regression with dropout, quick, random in every way that counts."""
