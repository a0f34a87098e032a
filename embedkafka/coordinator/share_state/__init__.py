"""The share coordinator as a pure machine (DESIGN section 6)."""
