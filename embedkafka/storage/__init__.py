"""Logs on files: segments, indexes, recovery, retention, compaction, and the directory they live in."""
