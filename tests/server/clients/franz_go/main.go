// What test_franz_go.py runs: one scenario by name against a broker; prints what it saw as one line of JSON.
//
//	round_trip HOST:PORT SCENARIO UNIQUE_NAME
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const limit = 30 * time.Second

type seen map[string]any

type scenario struct {
	broker, name string
	ctx          context.Context
	admin        *kadm.Client
}

func main() {
	broker, which, name := os.Args[1], os.Args[2], os.Args[3]
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	s := &scenario{broker: broker, name: name, ctx: ctx}
	s.admin = kadm.NewClient(s.client())
	scenarios := map[string]func() (seen, error){
		"records":            s.records,
		"rebalance-classic":  func() (seen, error) { return s.rebalance(kgo.Balancers(kgo.RangeBalancer())) },
		"rebalance-consumer": func() (seen, error) { return s.rebalance(kgo.ServerSideBalancer()) },
		"transaction":        s.transaction,
		"share":              s.share,
		"admin":              s.administer,
	}
	result, err := scenarios[which]()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}

func (s *scenario) client(options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.broker)}, options...)...)
	if err != nil {
		panic(err)
	}
	return client
}

func (s *scenario) createTopic() error {
	_, err := s.admin.CreateTopic(s.ctx, 2, 1, nil, s.name)
	return err
}

// read polls until as many records are there.
func (s *scenario) read(client *kgo.Client, count int) ([]*kgo.Record, error) {
	var records []*kgo.Record
	for len(records) < count {
		fetches := client.PollFetches(s.ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		records = append(records, fetches.Records()...)
	}
	return records, nil
}

func (s *scenario) records() (seen, error) {
	if err := s.createTopic(); err != nil {
		return nil, err
	}
	var values []string
	for _, codec := range []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		producer := s.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codec))
		for n := range 3 {
			record := &kgo.Record{
				Topic: s.name, Partition: 1, Key: []byte("key"), Value: fmt.Appendf(nil, "value %d", n),
				Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, n)}},
			}
			if err := producer.ProduceSync(s.ctx, record).FirstErr(); err != nil {
				return nil, err
			}
		}
		producer.Close()
	}
	start := map[string]map[int32]kgo.Offset{s.name: {1: kgo.NewOffset().AtStart()}}
	consumer := s.client(kgo.ConsumePartitions(start))
	defer consumer.Close()
	records, err := s.read(consumer, 15)
	for _, record := range records {
		values = append(values, fmt.Sprintf("%d %s %s %s", record.Offset, record.Key, record.Value, record.Headers[0].Value))
	}
	return seen{"values": values}, err
}

// member is one of a group that keeps which partitions it has.
type member struct {
	client *kgo.Client
	lock   sync.Mutex
	has    map[int32]bool
}

func (s *scenario) join(balancer kgo.Opt) *member {
	m := &member{has: map[int32]bool{}}
	change := func(has bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.lock.Lock()
			defer m.lock.Unlock()
			for _, partition := range partitions[s.name] {
				if has {
					m.has[partition] = true
				} else {
					delete(m.has, partition)
				}
			}
		}
	}
	m.client = s.client(
		kgo.ConsumerGroup(s.name+"-group"), kgo.ConsumeTopics(s.name), kgo.HeartbeatInterval(200*time.Millisecond), balancer,
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)),
	)
	go func() {
		for s.ctx.Err() == nil {
			fetches := m.client.PollFetches(s.ctx)
			if fetches.IsClientClosed() {
				return
			}
		}
	}()
	return m
}

func (m *member) partitions() []int {
	m.lock.Lock()
	defer m.lock.Unlock()
	list := []int{}
	for partition := range m.has {
		list = append(list, int(partition))
	}
	sort.Ints(list)
	return list
}

func (s *scenario) until(condition func() bool) error {
	for !condition() {
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

func (s *scenario) rebalance(balancer kgo.Opt) (seen, error) {
	if err := s.createTopic(); err != nil {
		return nil, err
	}
	first := s.join(balancer)
	if err := s.until(func() bool { return len(first.partitions()) == 2 }); err != nil {
		return nil, err
	}
	second := s.join(balancer)
	if err := s.until(func() bool { return len(first.partitions()) == 1 && len(second.partitions()) == 1 }); err != nil {
		return nil, err
	}
	shared := append(first.partitions(), second.partitions()...)
	sort.Ints(shared)
	second.client.Close()
	err := s.until(func() bool { return len(first.partitions()) == 2 })
	first.client.Close()
	return seen{"shared": shared}, err
}

func (s *scenario) transaction() (seen, error) {
	if err := s.createTopic(); err != nil {
		return nil, err
	}
	producer := s.client(kgo.TransactionalID(s.name+"-transactional"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	for _, value := range []string{"aborted", "committed"} {
		if err := producer.BeginTransaction(); err != nil {
			return nil, err
		}
		record := &kgo.Record{Topic: s.name, Value: []byte(value)}
		if err := producer.ProduceSync(s.ctx, record).FirstErr(); err != nil {
			return nil, err
		}
		if err := producer.EndTransaction(s.ctx, value == "committed"); err != nil {
			return nil, err
		}
	}
	reader := s.client(
		kgo.ConsumeTopics(s.name), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	defer reader.Close()
	records, err := s.read(reader, 1)
	if err != nil {
		return nil, err
	}
	listed, err := s.admin.ListTransactions(s.ctx, nil, nil)
	state := listed[s.name+"-transactional"].State
	return seen{"value": string(records[0].Value), "offset": records[0].Offset, "state": state}, err
}

func (s *scenario) share() (seen, error) {
	if err := s.createTopic(); err != nil {
		return nil, err
	}
	group := s.name + "-share"
	if err := s.startShareGroupAtTheBeginning(group); err != nil {
		return nil, err
	}
	producer := s.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	for _, value := range []string{"accept", "release", "reject"} {
		record := &kgo.Record{Topic: s.name, Value: []byte(value)}
		if err := producer.ProduceSync(s.ctx, record).FirstErr(); err != nil {
			return nil, err
		}
	}
	consumer := s.client(kgo.ShareGroup(group), kgo.ConsumeTopics(s.name))
	defer consumer.Close()
	statuses := map[string]kgo.AckStatus{"accept": kgo.AckAccept, "release": kgo.AckRelease, "reject": kgo.AckReject}
	records, err := s.read(consumer, 3)
	if err != nil {
		return nil, err
	}
	var values []string
	for _, record := range records {
		values = append(values, string(record.Value))
		record.Ack(statuses[string(record.Value)])
	}
	again, err := s.read(consumer, 1)
	if err != nil {
		return nil, err
	}
	described, err := s.admin.DescribeShareGroups(s.ctx, group)
	return seen{
		"values": values, "again": string(again[0].Value), "deliveries": again[0].DeliveryCount(),
		"members": len(described[group].Members),
	}, err
}

func (s *scenario) administer() (seen, error) {
	if err := s.createTopic(); err != nil {
		return nil, err
	}
	_, err := s.admin.CreateTopic(s.ctx, 2, 1, nil, s.name)
	if !errors.Is(err, kerr.TopicAlreadyExists) {
		return nil, fmt.Errorf("created twice: %w", err)
	}
	if _, err := s.admin.UpdatePartitions(s.ctx, 3, s.name); err != nil {
		return nil, err
	}
	topics, err := s.admin.ListTopics(s.ctx, s.name)
	if err != nil {
		return nil, err
	}
	value := "1234"
	changes := []kadm.AlterConfig{{Name: "retention.ms", Value: &value}}
	if _, err := s.admin.AlterTopicConfigs(s.ctx, changes, s.name); err != nil {
		return nil, err
	}
	configs, err := s.admin.DescribeTopicConfigs(s.ctx, s.name)
	if err != nil {
		return nil, err
	}
	var retention string
	for _, config := range configs[0].Configs {
		if config.Key == "retention.ms" {
			retention = *config.Value
		}
	}
	var offsets kadm.Offsets
	offsets.AddOffset(s.name, 0, 7, -1)
	if err := s.admin.CommitAllOffsets(s.ctx, s.name+"-group", offsets); err != nil {
		return nil, err
	}
	fetched, err := s.admin.FetchOffsets(s.ctx, s.name+"-group")
	if err != nil {
		return nil, err
	}
	committed, _ := fetched.Lookup(s.name, 0)
	if _, err := s.admin.DeleteGroup(s.ctx, s.name+"-group"); err != nil {
		return nil, err
	}
	ends, err := s.admin.ListEndOffsets(s.ctx, s.name)
	if err != nil {
		return nil, err
	}
	end, _ := ends.Lookup(s.name, 2)
	_, err = s.admin.DeleteTopic(s.ctx, s.name)
	return seen{
		"partitions": len(topics[s.name].Partitions), "retention": retention, "offset": committed.At, "end": end.Offset,
	}, err
}

func (s *scenario) startShareGroupAtTheBeginning(group string) error {
	earliest := "earliest"
	return alterGroupConfig(s, group, "share.auto.offset.reset", &earliest)
}
