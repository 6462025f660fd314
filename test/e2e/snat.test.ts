/**
 * `snat:` in a real director: a realserver opens connections of its own. The client's side has no
 * route to the private network, so only packets that left as the VIP get an answer. Needs root.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pair } from './pair.js';

const reason = process.getuid?.() !== 0 ? 'needs root for namespaces' : '';
if (reason) console.log(`skipped: ${reason}`);

/** Answers with the client's address. */
const SERVER = `
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (self.client_address[0] + "\\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
server = Server(("::", 8000), Handler)
print("ready", flush=True)
server.serve_forever()
`;

let pair: Pair | undefined;

beforeAll(async () => {
  if (reason) return;
  pair = new Pair();
  writeFileSync(join(pair.home, 'server.py'), SERVER);
  const snat = [
    'snat:',
    '  - { from: 192.168.1.0/24, to: 10.0.0.100, dev: eth0 }',
    '  - { from: "2001:db8:1::/64", to: "2001:db8::100" }',
  ];
  await Promise.all([
    pair.start('client', 'ready', '/usr/bin/python3', join(pair.home, 'server.py')),
    pair.direct(...snat, 'rules: |', '  -A -t 10.0.0.100:80 -s rr', '  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m'),
  ]);
});

afterAll(() => pair?.close(), 30_000);

describe.skipIf(reason !== '')('a realserver that opens connections', () => {
  it.each([
    ['http://10.0.0.1:8000/', '::ffff:10.0.0.100'],
    ['http://[2001:db8::1]:8000/', '2001:db8::100'],
  ])('to %s appears as the VIP', (url, seen) => {
    const calls = Array.from({ length: 20 }, () => url);
    const out = pair!.run('server', 'curl', '-sS', '--max-time', '10', '-H', 'Connection: close', ...calls);
    expect(out).toBe(`${seen}\n`.repeat(20));
  });

  it('has its connections listed, and its address does not leave', () => {
    const rows = pair!.ulvsadm('-Lnc');
    expect(rows).toMatch(/TCP \d\d:\d\d {2}\w+ +10\.0\.0\.1:8000 +10\.0\.0\.100:\d+ +192\.168\.1\.11:\d+/);
    expect(pair!.run('client', 'ip', 'neigh')).not.toContain('192.168');
  });

  it('still reaches the director itself: packets intercepted without need return to the host', async () => {
    expect(pair!.run('server', 'ping', '-c', '1', '-W', '2', '192.168.1.254')).toContain(' 0% packet loss');
    await pair!.start('director', 'ready', '/usr/bin/python3', join(pair!.home, 'server.py'));
    expect(pair!.run('server', 'curl', '-sS', '--max-time', '10', 'http://192.168.1.254:8000/')).toBe(
      '::ffff:192.168.1.11\n',
    );
  });
});
