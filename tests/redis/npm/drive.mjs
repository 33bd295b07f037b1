// A client library as its users use it, over both versions of the protocol:
//   node drive.mjs PORT
import assert from 'node:assert/strict';
import { createClient } from '@redis/client';

const port = Number(process.argv[2]);

async function strings(client) {
  assert.equal(await client.set('greeting', 'Grüße\r\n'), 'OK');
  assert.equal(await client.get('greeting'), 'Grüße\r\n');
  assert.equal(await client.get('nothing'), null);
  assert.equal(await client.set('greeting', 'x', { condition: 'NX' }), null);
  assert.equal(await client.append('greeting', '!'), 10);
  assert.deepEqual(await client.mGet(['nothing', 'greeting']), [null, 'Grüße\r\n!']);
  assert.equal(await client.del(['greeting', 'nothing']), 1);
}

async function pipeline(client) {
  const counts = await Promise.all(Array.from({ length: 500 }, () => client.incr('count')));
  assert.deepEqual(counts, Array.from({ length: 500 }, (_, at) => at + 1));
}

async function transaction(client) {
  const replies = await client.multi().set('a', '1').incr('a').get('a').exec();
  assert.deepEqual(replies, ['OK', 2, '2']);
  await assert.rejects(client.multi().set('a', '1').addCommand(['NOSUCH']).exec());
  assert.equal(await client.get('a'), '2');
}

async function scan(client) {
  const names = Array.from({ length: 200 }, (_, at) => `scan:${at}`);
  await Promise.all(names.map((name) => client.set(name, 'x')));
  const found = new Set();
  for await (const keys of client.scanIterator({ MATCH: 'scan:*', COUNT: 10 }))
    keys.forEach((key) => found.add(key));
  assert.deepEqual([...found].sort(), names.sort());
}

async function expiry(client) {
  await client.set('short', 'x', { expiration: { type: 'PX', value: 1 } });
  await client.set('long', 'x', { expiration: { type: 'EX', value: 1000 } });
  await client.set('none', 'x');
  for (let left = 100; await client.exists('short'); --left) assert.ok(left > 0);
  assert.ok(await client.ttl('long') > 900);
  assert.equal(await client.ttl('none'), -1);
  assert.equal(await client.expire('none', 1000), 1);
  assert.equal(await client.persist('none'), 1);
}

async function collections(client) {
  assert.equal(await client.hSet('hash', { one: '1', two: '2' }), 2);
  assert.deepEqual({ ...await client.hGetAll('hash') }, { one: '1', two: '2' });
  assert.equal(await client.hGet('hash', 'two'), '2');
  assert.equal(await client.rPush('list', ['a', 'b', 'c']), 3);
  assert.deepEqual(await client.lRange('list', 0, -1), ['a', 'b', 'c']);
  assert.equal(await client.lPop('list'), 'a');
  assert.equal(await client.sAdd('set', ['x', 'y', 'x']), 2);
  assert.deepEqual((await client.sMembers('set')).sort(), ['x', 'y']);
  assert.equal(Number(await client.sIsMember('set', 'x')), 1);
  await client.zAdd('scores', [{ score: 1.5, value: 'b' }, { score: -1, value: 'a' }]);
  assert.deepEqual(await client.zRangeWithScores('scores', 0, -1),
                   [{ value: 'a', score: -1 }, { value: 'b', score: 1.5 }]);
  assert.equal(await client.zScore('scores', 'b'), 1.5);
  assert.deepEqual(await client.zPopMin('scores'), { value: 'a', score: -1 });
}

async function errors(client) {
  await client.set('string', 'x');
  await assert.rejects(client.lPush('string', 'x'), /^Error: WRONGTYPE /);
  await assert.rejects(client.incr('string'), /not an integer/);
  await assert.rejects(client.sendCommand(['NOSUCH', 'x']), /unknown command 'NOSUCH'/);
}

for (const RESP of [2, 3]) {
  const socket = { host: '127.0.0.1', port, reconnectStrategy: false };
  const client = createClient({ RESP, socket });
  client.on('error', (error) => { throw error; });
  await client.connect();
  await client.flushAll();
  for (const part of [strings, pipeline, transaction, scan, expiry, collections, errors])
    await part(client);
  await client.close();
  console.log(`RESP${RESP}: good`);
}
