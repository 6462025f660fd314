/**
 * The SYN proxy in a real director, between the TCP of two kernels: data in both directions, loss
 * (SACK), a server that speaks first, a server that refuses. Needs root.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pair } from './pair.js';

const reason = process.getuid?.() !== 0 ? 'needs root for namespaces' : '';
if (reason) console.log(`skipped: ${reason}`);

/** Sends BYTES at once, then what it reads is hashed; the client's end is answered by the hash. */
const BYTES = 3_000_000;
const SERVER = `
import hashlib, socket, threading
def serve(one):
    one.sendall(bytes(i * 31 & 255 for i in range(256)) * (${BYTES} // 256))
    digest = hashlib.sha1()
    while True:
        data = one.recv(65536)
        if not data: break
        digest.update(data)
    one.sendall(digest.hexdigest().encode())
    one.close()
listener = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100)
print("ready", flush=True)
while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
`;
/** Sends BYTES while it reads as many, on several connections; prints the hashes of both directions. */
const CLIENT = `
import hashlib, socket, sys, threading
sent = bytes(i * 7 & 255 for i in range(256)) * (${BYTES} // 256)
results = []
def talk():
    one = socket.create_connection((sys.argv[1], 80), timeout=20)
    sender = threading.Thread(target=lambda: (one.sendall(sent), one.shutdown(socket.SHUT_WR)))
    sender.start()
    got = b""
    while True:
        data = one.recv(65536)
        if not data: break
        got += data
    sender.join()
    results.append(hashlib.sha1(got[:-40]).hexdigest() + " " + got[-40:].decode())
threads = [threading.Thread(target=talk) for _ in range(int(sys.argv[2]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("\\n".join(results))
`;
const pattern = (step: number) =>
  createHash('sha1')
    .update(
      Buffer.alloc(
        BYTES - (BYTES % 256),
        Uint8Array.from({ length: 256 }, (_, i) => i * step),
      ),
    )
    .digest('hex');
const RIGHT = `${pattern(31)} ${pattern(7)}`;

let pair: Pair;
const talk = (vip: string, connections: number) =>
  pair.run('client', '/usr/bin/python3', join(pair.home, 'client.py'), vip, `${connections}`).trim().split('\n');
const stats = () => JSON.parse(pair.run('director', process.execPath, 'dist/cli/main.js', 'status', '--json')).frames;

beforeAll(async () => {
  if (reason) return;
  pair = new Pair();
  writeFileSync(join(pair.home, 'server.py'), SERVER);
  writeFileSync(join(pair.home, 'client.py'), CLIENT);
  const service = (name: string) => `  - { service: "-t ${name}", synproxy: on }`;
  await Promise.all([
    pair.start('server', 'ready', '/usr/bin/python3', join(pair.home, 'server.py')),
    pair.direct(
      'serviceOptions:',
      service('10.0.0.100:80'),
      service('[2001:db8::100]:80'),
      service('10.0.0.101:80'),
      'rules: |',
      '  -A -t 10.0.0.100:80 -s rr',
      '  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m',
      '  -A -t [2001:db8::100]:80 -s rr',
      '  -a -t [2001:db8::100]:80 -r [2001:db8:1::11]:8080 -m',
      '  -A -t 10.0.0.101:80 -s rr',
      '  -a -t 10.0.0.101:80 -r 192.168.1.11:8081 -m',
    ),
  ]);
});

afterAll(() => pair?.close(), 30_000);

describe.skipIf(reason !== '')('the SYN proxy', () => {
  it.each(['10.0.0.100', '2001:db8::100'])(
    'joins connections to %s: each byte arrives in both directions',
    (vip) => {
      const before = stats().cookiesAccepted;
      expect(talk(vip, 4)).toEqual(Array.from({ length: 4 }, () => RIGHT));
      expect(stats().cookiesAccepted - before).toBe(4);
    },
    30_000,
  );

  it('whatever is lost on the way between director and server', () => {
    const drop =
      'table ip lossy { chain in { type filter hook input priority 0; numgen random mod 30 == 0 counter drop; }; }';
    pair.run('server', 'nft', drop);
    expect(talk('10.0.0.100', 2)).toEqual([RIGHT, RIGHT]);
    expect(pair.run('server', 'nft', 'list table ip lossy')).not.toContain('packets 0');
    pair.run('server', 'nft', 'delete table ip lossy');
  });

  it('tells the client when no server listens', () => {
    expect(talk('10.0.0.101', 1).join('\n')).toMatch(/Connection reset by peer|Broken pipe/);
    expect(pair.ulvsadm('-Lnc')).toMatch(/TCP .* CLOSE +10\.0\.0\.1:\d+ +10\.0\.0\.101:80 +192\.168\.1\.11:8081/);
  });
});
