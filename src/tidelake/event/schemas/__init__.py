"""Schemas made from the contract: one file per language, each one function of a `Contract`."""
