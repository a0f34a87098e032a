"""What share groups read and how far they are: share partitions, their sessions, and the share coordinator's shell."""
