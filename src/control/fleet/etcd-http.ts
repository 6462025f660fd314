/**
 * HTTP requests to etcd's JSON gateway (v3, etcd 3.4 and later). Keys and values are base64 there,
 * 64-bit numbers are text.
 *
 *     POST /v3/kv/range {"key": …}        one JSON object
 *     POST /v3/watch {"create_request"…}  a line of JSON for each event, without end
 *
 * The gateway is a part of every etcd, on the same port as gRPC.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { reason } from '../config/config.js';
import type { EtcdConfig } from '../config/director-config.js';

/** Time, in ms, in which an endpoint must answer a request. */
const DEADLINE_MS = 3000;
/** Idle time, in ms, after which the kernel asks whether the endpoint is still there. */
const KEEPALIVE_MS = 3000;

/** An endpoint cannot be reached, or has no leader; another may do. */
export class EtcdAway extends Error {
  override readonly name = 'EtcdAway';
}

/** etcd has refused a request. */
export class EtcdRefused extends Error {
  override readonly name = 'EtcdRefused';

  /** `code`: that of gRPC, such as 16 for UNAUTHENTICATED. */
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** Codes of gRPC that another endpoint may answer better: DEADLINE_EXCEEDED, UNAVAILABLE. */
const PASSING = [4, 14];

/** The files of `tls`. Throws an Error that names the key of a file that cannot be read. */
export function readTls({ tls }: Pick<EtcdConfig, 'tls'>): https.RequestOptions {
  const { ca, cert, key = cert } = tls ?? {};
  return {
    ...(ca !== undefined && { ca: read('tls.ca', ca) }),
    ...(cert !== undefined && { cert: read('tls.cert', cert) }),
    ...(key !== undefined && { key: read('tls.key', key) }),
  };
}

/** Text of a file of `rules.etcd`. */
export function read(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`rules.etcd.${key}: ${file}: ${reason(error)}`);
  }
}

export interface Call {
  /** As `kv/range`. */
  readonly path: string;
  readonly body: object;
  readonly token: string | undefined;
  readonly signal?: AbortSignal;
}

/** Sends a request; resolves with the answer. Rejects with EtcdAway or EtcdRefused. */
export async function post(endpoint: string, tls: https.RequestOptions, call: Call): Promise<unknown> {
  const response = await open(endpoint, tls, call);
  const away = (why: string) => new EtcdAway(`${endpoint}: ${why}`);
  response.setTimeout(DEADLINE_MS, () => response.destroy(away('does not answer')));
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
  } catch (error) {
    throw error instanceof EtcdAway ? error : away(wordsOf(error));
  }
  const answer = parsed(text, endpoint);
  refuse(answer, endpoint);
  return answer;
}

/** Opens a stream; yields the `result` of each line. Rejects with EtcdAway or EtcdRefused. */
export async function* stream(endpoint: string, tls: https.RequestOptions, call: Call): AsyncGenerator<unknown> {
  const response = await open(endpoint, tls, call);
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = (text + chunk).split('\n');
      text = lines.pop()!;
      for (const line of lines) if (line.trim() !== '') yield resultOf(parsed(line, endpoint), endpoint);
    }
  } catch (error) {
    if (error instanceof EtcdAway || error instanceof EtcdRefused) throw error;
    throw new EtcdAway(`${endpoint}: ${wordsOf(error)}`);
  } finally {
    response.destroy();
  }
  throw new EtcdAway(`${endpoint}: closed the connection`);
}

function open(endpoint: string, tls: https.RequestOptions, call: Call): Promise<http.IncomingMessage> {
  const { path, body, token, signal } = call;
  const text = JSON.stringify(body);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    // A member that has lost the leader ends its watches, so that another member is asked.
    'grpc-metadata-hasleader': 'true',
    ...(token !== undefined && { authorization: token }),
  };
  const options = { method: 'POST', headers, agent: false as const, ...tls, ...(signal && { signal }) };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(new EtcdAway(`${endpoint}: ${wordsOf(error)}`));
    const sent = (endpoint.startsWith('https:') ? https : http).request(
      `${endpoint}/v3/${path}`,
      options,
      (response) => {
        sent.setTimeout(0);
        resolve(response);
      },
    );
    sent.on('socket', (socket) => socket.setKeepAlive(true, KEEPALIVE_MS));
    sent.setTimeout(DEADLINE_MS, () => sent.destroy(new Error('does not answer')));
    sent.on('error', fail);
    sent.end(text);
  });
}

function parsed(text: string, endpoint: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EtcdAway(`${endpoint}: what listens there is not etcd (${JSON.stringify(text.slice(0, 40))})`);
  }
}

/** A line of a stream is { result } or { error }. */
function resultOf(line: unknown, endpoint: string): unknown {
  refuse(line, endpoint);
  return (line as { result?: unknown }).result;
}

interface Refusal {
  readonly error?: string | { readonly grpc_code?: number; readonly message?: string };
  readonly code?: number;
  readonly message?: string;
}

/** Throws what etcd says instead of an answer. */
function refuse(answer: unknown, endpoint: string): void {
  const { error, code = 2, message } = (answer ?? {}) as Refusal;
  if (error === undefined) return;
  const number = typeof error === 'object' ? (error.grpc_code ?? code) : code;
  const words = (typeof error === 'object' ? error.message : error) ?? message ?? 'an error without words';
  throw PASSING.includes(number) ? new EtcdAway(`${endpoint}: ${words}`) : new EtcdRefused(number, words);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ECONNRESET: 'closed the connection',
  ETIMEDOUT: 'does not answer',
  ENOTFOUND: 'there is no such host',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an unknown authority; name that as tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority; name that as tls.ca',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is its own authority; name it as tls.ca',
};

function wordsOf(error: unknown): string {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
