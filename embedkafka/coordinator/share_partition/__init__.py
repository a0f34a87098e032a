"""A share partition as a pure machine: which of its records are whose, and which are done."""
