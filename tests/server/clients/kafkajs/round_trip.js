// What test_kafkajs.py runs: one scenario by name against a broker; prints what it saw as one line of JSON.
//
//   node round_trip.js HOST:PORT SCENARIO UNIQUE_NAME

'use strict'

const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = require('kafkajs')

const [broker, scenario, name] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'round-trip', brokers: [broker], logLevel: logLevel.NOTHING })
const group = { sessionTimeout: 6000, heartbeatInterval: 200, rebalanceTimeout: 6000, maxWaitTimeInMs: 100 }

async function withClient(client, use) {
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.disconnect()
  }
}

const createTopic = () =>
  withClient(kafka.admin(), (admin) => admin.createTopics({ topics: [{ topic: name, numPartitions: 2 }] }))

async function until(condition) {
  const deadline = Date.now() + 30000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it never came true')
    await new Promise((done) => setTimeout(done, 50))
  }
}

// A member that keeps what it read and which partitions it has.
async function member(groupId, options = {}) {
  const consumer = kafka.consumer({ groupId, ...group, ...options })
  const state = { consumer, assigned: [], values: [] }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    state.assigned = payload.memberAssignment[name] || []
  })
  await consumer.connect()
  await consumer.subscribe({ topic: name, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      state.values.push(message.value.toString())
    }
  })
  return state
}

const scenarios = {
  async records() {
    await createTopic()
    const sent = await withClient(kafka.producer(), (producer) =>
      producer.send({
        topic: name,
        compression: CompressionTypes.GZIP,
        messages: [0, 1, 2].map((n) => ({ key: 'key', value: `value ${n}`, partition: 1, headers: { n: `${n}` } }))
      })
    )
    const consumer = kafka.consumer({ groupId: `${name}-group`, ...group })
    const seen = []
    await withClient(consumer, async () => {
      await consumer.subscribe({ topic: name, fromBeginning: true })
      await consumer.run({
        eachMessage: async ({ partition, message: { offset, key, value, headers } }) => {
          seen.push([partition, offset, key.toString(), value.toString(), headers.n.toString()])
        }
      })
      await until(() => seen.length === 3)
    })
    return { error: sent[0].errorCode, seen }
  },

  async rebalance() {
    await createTopic()
    const first = await member(`${name}-group`)
    await until(() => first.assigned.length === 2)
    const second = await member(`${name}-group`)
    await until(() => first.assigned.length === 1 && second.assigned.length === 1)
    const shared = [...first.assigned, ...second.assigned].sort()
    await second.consumer.disconnect()
    await until(() => first.assigned.length === 2)
    await first.consumer.disconnect()
    return { shared }
  },

  async transaction() {
    await createTopic()
    const producer = kafka.producer({ transactionalId: `${name}-transactional`, maxInFlightRequests: 1, idempotent: true })
    await withClient(producer, async () => {
      const aborted = await producer.transaction()
      await aborted.send({ topic: name, messages: [{ value: 'aborted', partition: 0 }] })
      await aborted.abort()
      const committed = await producer.transaction()
      await committed.send({ topic: name, messages: [{ value: 'committed', partition: 0 }] })
      await committed.sendOffsets({
        consumerGroupId: `${name}-offsets`,
        topics: [{ topic: name, partitions: [{ partition: 1, offset: '42' }] }]
      })
      await committed.commit()
    })
    const reader = await member(`${name}-group`)
    await until(() => reader.values.length > 0)
    await reader.consumer.disconnect()
    const offsets = await withClient(kafka.admin(), (admin) =>
      admin.fetchOffsets({ groupId: `${name}-offsets`, topics: [name] })
    )
    return { values: reader.values, offset: offsets[0].partitions.find(({ partition }) => partition === 1).offset }
  },

  async admin() {
    return withClient(kafka.admin(), async (admin) => {
      const created = await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }] })
      const createdAgain = await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }] })
      await admin.createPartitions({ topicPartitions: [{ topic: name, count: 3 }] })
      const metadata = await admin.fetchTopicMetadata({ topics: [name] })
      const resource = { type: ConfigResourceTypes.TOPIC, name }
      await admin.alterConfigs({
        resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '1234' }] }]
      })
      const configs = await admin.describeConfigs({ resources: [{ ...resource, configNames: ['retention.ms'] }] })
      await admin.setOffsets({ groupId: `${name}-group`, topic: name, partitions: [{ partition: 0, offset: '7' }] })
      const offsets = await admin.fetchOffsets({ groupId: `${name}-group`, topics: [name] })
      const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId)
      await admin.deleteGroups([`${name}-group`])
      const cluster = await admin.describeCluster()
      await admin.deleteTopics({ topics: [name] })
      return {
        created,
        createdAgain,
        partitions: metadata.topics[0].partitions.length,
        retention: configs.resources[0].configEntries[0].configValue,
        offset: offsets[0].partitions.find(({ partition }) => partition === 0).offset,
        isListed: groups.includes(`${name}-group`),
        brokers: cluster.brokers.map(({ host, port }) => `${host}:${port}`)
      }
    })
  }
}

scenarios[scenario]().then(
  (seen) => console.log(JSON.stringify(seen)),
  (error) => {
    console.error(error)
    process.exit(1)
  }
)
