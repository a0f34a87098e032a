"""What group members tell each other through the coordinator, which only carries the bytes.

Java's ``ConsumerProtocol``: an int16 version, then the message of that version.  A reader that knows fewer versions
reads a newer one with its own latest schema, because new versions only add fields at the end.
"""
