/**
 * http and https by undici: status, body, keyword, certificate. Each check has its own connection.
 */
import tls from 'node:tls';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { bad, type Checker, type CheckSettings, good, LONGEST_ANSWER, type Place } from './checker.js';

const DAY_MS = 86_400_000;

export const http: Checker = {
  good: 'the status is in `status`; the body matches `body` and contains `expect`',
  options: ['host', 'path', 'status', 'body', 'expect'],
  run: (place, options, signal) => ask('http', place, options, signal),
};

export const https: Checker = {
  good: 'as http; the certificate is valid for `certificateDays` more days, and trusted with `verify`',
  options: ['host', 'path', 'status', 'body', 'expect', 'sni', 'verify', 'certificateDays'],
  run: (place, options, signal) => ask('https', place, options, signal),
};

async function ask(scheme: 'http' | 'https', place: Place, options: CheckSettings, signal: AbortSignal) {
  const { host, path, connectTimeout } = options;
  const seen: Seen = { wrong: '' };
  const client = new Client(`${scheme}://${hostText(place)}`, {
    connect: connector(options, seen),
    connectTimeout,
    // The deadline of the whole check ends it.
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 0,
  });
  signal.addEventListener('abort', () => void client.destroy(signal.reason).catch(() => {}), { once: true });
  const headers = { host: host || hostText(place), 'user-agent': 'ulvs-health' };
  const answer = await client.request({ path, method: 'GET', headers, signal, reset: true }).catch((error) => {
    throw seen.wrong === '' ? error : new Error(seen.wrong);
  });
  return judge(answer, options);
}

interface Seen {
  /** What is wrong with the certificate. */
  wrong: string;
}

/** Connects, and refuses a certificate that ends too soon. */
function connector(options: CheckSettings, seen: Seen): buildConnector.connector {
  const { sni, verify, certificateDays, connectTimeout } = options;
  const connect = buildConnector({
    timeout: connectTimeout,
    rejectUnauthorized: verify,
    ...(sni !== '' && { servername: sni }),
  });
  return (target, done) =>
    connect(target, (error, socket) => {
      if (error !== null || socket === null) return done(error ?? new Error('no connection'), null);
      if (socket instanceof tls.TLSSocket && certificateDays >= 0)
        seen.wrong = certificateFault(socket, certificateDays);
      if (seen.wrong === '') return done(null, socket);
      socket.destroy();
      return done(new Error(seen.wrong), null);
    });
}

function certificateFault(socket: tls.TLSSocket, days: number): string {
  const { valid_to: until, valid_from: from } = socket.getPeerCertificate();
  // A date of the calendar, which only the wall clock can tell.
  const now = Date.now();
  const left = (Date.parse(until) - now) / DAY_MS;
  if (left < 0) return `the certificate has expired on ${until}`;
  if (left < days) return `the certificate ends in ${Math.floor(left)} days, on ${until}`;
  return Date.parse(from) > now ? `the certificate is not valid before ${from}` : '';
}

async function judge({ statusCode, body }: Dispatcher.ResponseData, { status, body: pattern, expect }: CheckSettings) {
  if (!status.some(([from, to]) => statusCode >= from && statusCode <= to)) {
    body.on('error', () => {});
    body.destroy();
    return bad(`status ${statusCode}`);
  }
  const text = await read(body);
  if (pattern !== '' && !new RegExp(pattern, 's').test(text)) return bad(`the body does not match ${pattern}`);
  if (expect !== '' && !text.includes(expect)) return bad(`the body does not contain ${JSON.stringify(expect)}`);
  return good(`status ${statusCode}`);
}

async function read(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST_ANSWER) throw new Error('the body is longer than 1 MiB');
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Host and port as in a URL. */
export function hostText({ address, port }: Place): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
