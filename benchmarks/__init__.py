"""What embedkafka's speed is claimed to be, one file per claim, measured against peers and the machine's own limits.

``python -m benchmarks`` runs every claim, ``python -m benchmarks send read`` some, ``--quick`` each in a few seconds.
A file without a leading underscore is a claim and defines ``CLAIM``; its goals stand next to it as data.
"""
