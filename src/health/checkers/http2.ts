/**
 * http2 and grpc by node:http2. Without `tls` the server must know HTTP/2 without upgrade (prior
 * knowledge, RFC 9113, 3.3). grpc asks grpc.health.v1.Health/Check:
 *
 *     request   | 0 | length 32 | 0x0a | length | service name … |        message HealthCheckRequest { string service = 1 }
 *     answer    | 0 | length 32 | 0x08 | status |                         HealthCheckResponse { ServingStatus status = 1 }
 */
import http2 from 'node:http2';
import { bad, type Checker, type CheckSettings, good, LONGEST_ANSWER, type Place } from './checker.js';
import { hostText } from './http.js';

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly trailers: http2.IncomingHttpHeaders;
}

export const http2Checker: Checker = {
  good: 'as http, by HTTP/2',
  options: ['host', 'path', 'status', 'body', 'expect', 'tls', 'sni', 'verify'],
  run: async (place, options, signal) => {
    const headers = { ':method': 'GET', ':path': options.path };
    const { status, body } = await ask(place, options, signal, headers);
    if (!options.status.some(([from, to]) => status >= from && status <= to)) return bad(`status ${status}`);
    const text = body.toString('utf8');
    if (options.body !== '' && !new RegExp(options.body, 's').test(text))
      return bad(`the body does not match ${options.body}`);
    if (!text.includes(options.expect)) return bad(`the body does not contain ${JSON.stringify(options.expect)}`);
    return good(`status ${status}`);
  },
};

const SERVING = 1;
const STATES = ['unknown', 'serving', 'not serving', 'service unknown'];

export const grpc: Checker = {
  good: 'the health service answers SERVING for the service `name`',
  options: ['host', 'name', 'tls', 'sni', 'verify'],
  run: async (place, options, signal) => {
    const headers = {
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const { status, body, trailers } = await ask(place, options, signal, headers, frame(options.name));
    const code = String(trailers['grpc-status'] ?? '0');
    if (status !== 200) return bad(`status ${status}`);
    if (code !== '0') return bad(`grpc status ${code}: ${trailers['grpc-message'] ?? ''}`);
    // A message without the field has its default, UNKNOWN.
    const state = body.length >= 7 && body[5] === 0x08 ? body[6]! : 0;
    return state === SERVING ? good('serving') : bad(STATES[state] ?? `state ${state}`);
  },
};

function frame(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.of(0x0a, name.length), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function ask(
  place: Place,
  { host, tls, sni, verify, connectTimeout }: CheckSettings,
  signal: AbortSignal,
  headers: http2.OutgoingHttpHeaders,
  send?: Buffer,
): Promise<Answer> {
  const scheme = tls ? 'https' : 'http';
  const session = http2.connect(`${scheme}://${hostText(place)}`, {
    rejectUnauthorized: verify,
    ...(sni !== '' && { servername: sni }),
  });
  return new Promise<Answer>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no connection within ${connectTimeout / 1000} s`)),
      connectTimeout,
    );
    session.once('connect', () => clearTimeout(timer));
    session.on('error', reject);
    session.once('close', () => reject(new Error('the server closed the connection')));
    signal.addEventListener('abort', () => session.destroy(), { once: true });
    const stream = session.request({ ...headers, ':scheme': scheme, ':authority': host || hostText(place) });
    collect(stream, resolve, reject);
    stream.end(send);
  }).finally(() => session.destroy());
}

function collect(stream: http2.ClientHttp2Stream, resolve: (answer: Answer) => void, reject: (e: Error) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let status = 0;
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on('error', reject);
  stream.once('response', (headers) => {
    status = headers[':status'] ?? 0;
    // An answer without body has its trailers here.
    trailers = headers;
  });
  stream.once('trailers', (last) => (trailers = { ...trailers, ...last }));
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST_ANSWER) reject(new Error('the body is longer than 1 MiB'));
  });
  stream.once('end', () => resolve({ status, body: Buffer.concat(chunks), trailers }));
}
