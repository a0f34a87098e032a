"""``embedkafka demo``: real text through topics, partitions, groups and a crash, with checks that nothing was lost."""
