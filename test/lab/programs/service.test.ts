/** The service program of a realserver: HTTP, UDP echo and counters. */
import { createHash } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256OfBytes } from '../../../src/lab/load/bytes.js';
import { RealService } from '../../../src/lab/programs/service.js';

let service: RealService;
let server: Server;
let url: string;

beforeEach(async () => {
  service = new RealService('rs9');
  server = service.httpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('HTTP', () => {
  it('answers with its name and the addresses that it saw', async () => {
    const response = await fetch(`${url}/`);
    expect(await response.text()).toMatch(/^rs9 answers 127\.0\.0\.1:\d+ at 127\.0\.0\.1:\d+\n$/);
    expect(response.headers.get('x-realserver')).toBe('rs9');
  });

  it('streams bytes that the client can generate, too', async () => {
    const body = Buffer.from(await (await fetch(`${url}/big?bytes=200001`)).arrayBuffer());
    expect(body.length).toBe(200_001);
    expect(createHash('sha256').update(body).digest('hex')).toBe(sha256OfBytes(200_001));
  });

  it.each(['', '?bytes=x', '?bytes=-1', '?bytes=1.5'])('refuses /big%s', async (query) => {
    const response = await fetch(`${url}/big${query}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toBe('bytes must be a whole number: /big?bytes=1000\n');
  });

  it('counts connections and requests except /count', async () => {
    for (const path of ['/', '/big?bytes=10', '/nowhere']) await (await fetch(`${url}${path}`)).text();
    expect(await (await fetch(`${url}/count`)).json()).toMatchObject({ name: 'rs9', requests: 3 });
    expect(service.counted.connections).toBeGreaterThan(0);
  });
});

describe('UDP', () => {
  it('echoes with its name and counts flows', async () => {
    const echo = await service.echo('127.0.0.1', 0);
    const client = dgram.createSocket('udp4');
    try {
      for (const text of ['one', 'two']) {
        client.send(text, echo.address().port, '127.0.0.1');
        const [message] = (await once(client, 'message')) as [Buffer];
        expect(String(message)).toBe(`rs9 ${text}`);
      }
      expect(service.counted).toMatchObject({ datagrams: 2, flows: 1 });
    } finally {
      client.close();
      echo.close();
    }
  });
});

it('the 50 MB of a download have a known SHA-256', () => {
  expect(sha256OfBytes(50_000_000)).toMatchInlineSnapshot(
    `"44221f26c4deb0097a44e5ca1b5a38baa208118ab7b0ef9956ee65c24004cfab"`,
  );
});
