"""Records of Kafka's internal topics, one file per schema.

A key starts with an int16 that says which schema it and its value have (Kafka's ``apiKey`` of the record type); a value
starts with the int16 version of its schema.  ``__consumer_offsets``:

====  ========================================  ==========================
type  key                                       value, with its versions
====  ========================================  ==========================
0     OffsetCommitKey                           OffsetCommitValue 0 (before Kafka 0.9)
1     OffsetCommitKey                           OffsetCommitValue 0-4
2     GroupMetadataKey                          GroupMetadataValue 0-4
3     ConsumerGroupMetadataKey                  its value 0
4     ConsumerGroupPartitionMetadataKey         its value 0 (Kafka 4.0 only)
5     ConsumerGroupMemberMetadataKey            its value 0
6     ConsumerGroupTargetAssignmentMetadataKey  its value 0
7     ConsumerGroupTargetAssignmentMemberKey    its value 0
8     ConsumerGroupCurrentMemberAssignmentKey   its value 0
10    ShareGroupMemberMetadataKey               its value 0
11    ShareGroupMetadataKey                     its value 0
12    ShareGroupTargetAssignmentMetadataKey     its value 0
13    ShareGroupTargetAssignmentMemberKey       its value 0
14    ShareGroupCurrentMemberAssignmentKey      its value 0
15    ShareGroupStatePartitionMetadataKey       its value 0
16    ConsumerGroupRegularExpressionKey         its value 0
17    StreamsGroupMetadataKey                   its value 0
19    StreamsGroupMemberMetadataKey             its value 0
20    StreamsGroupTargetAssignmentMetadataKey   its value 0
21    StreamsGroupTargetAssignmentMemberKey     its value 0
22    StreamsGroupCurrentMemberAssignmentKey    its value 0
23    StreamsGroupTopologyKey                   its value 0
====  ========================================  ==========================

9 is what early versions of share groups (KIP-932) kept of topics, 18 what those of streams groups (KIP-1071) did.

``__share_group_state``: 0 ShareSnapshotKey and 1 ShareUpdateKey, each with its value 0.
"""
