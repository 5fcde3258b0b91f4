"""The dashboard: pages over a published gold file."""
