"""Share groups: members share partitions, the coordinator only says which (KIP-932)."""
