"""Records of Kafka's internal topics, one file per schema.

A key starts with an int16 that says which schema it and its value have (Kafka's ``apiKey`` of the record type); a value
starts with the int16 version of its schema.  ``__consumer_offsets``:

====  ======================  ==========================
type  key                     value, with its versions
====  ======================  ==========================
0     OffsetCommitKey         OffsetCommitValue 0 (before Kafka 0.9)
1     OffsetCommitKey         OffsetCommitValue 0-4
2     GroupMetadataKey        GroupMetadataValue 0-4
3-18  the types of KIP-848, KIP-932 and KIP-1071, which come with those protocols
====  ======================  ==========================
"""
