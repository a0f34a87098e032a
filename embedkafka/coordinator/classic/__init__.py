"""Groups of the classic protocol: members join, the leader assigns, everyone syncs (Kafka's ``ClassicGroup``).

The files are split by command: ``join``, ``sync``, ``leave`` (with heartbeat), ``expire``; ``group`` is the state they
read, ``rebalance`` what several of them set going, ``turn`` the copy that one command works on.
"""
