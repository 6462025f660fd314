/**
 * Servers that greet: a row for each protocol says what is sent and what answer is good. The check
 * speaks just enough to know that the server itself answers, and needs no account.
 */
import { type Checker, good } from './checker.js';
import { connect, hangUp, readUntil } from './connection.js';

interface Greeting {
  readonly good: string;
  /** Sent at once; absent: the server speaks first. */
  readonly send?: Uint8Array;
  /** What the bytes say: undefined more is needed, '' good, else why they are bad. */
  readonly judge: (bytes: Buffer) => string | undefined;
  /** Sent after a good answer. */
  readonly bye?: string;
}

/** SSLRequest of PostgreSQL (protocol 3.0): length 8, code 80877103. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f);
/** First byte of the first packet of MySQL (HandshakeV10), and of an error packet. */
const MYSQL_HANDSHAKE = 10;
const MYSQL_ERROR = 0xff;
const MYSQL_HEADER = 4;

const GREETINGS = {
  smtp: {
    good: 'the server greets with 220 (RFC 5321)',
    judge: (bytes) => line(bytes, (text) => text.startsWith('220'), /^220 /m),
    bye: 'QUIT\r\n',
  },
  redis: {
    good: 'the server answers PING with +PONG, or asks for a password',
    send: Buffer.from('PING\r\n'),
    judge: (bytes) => line(bytes, (text) => text.startsWith('+PONG') || text.startsWith('-NOAUTH')),
    bye: 'QUIT\r\n',
  },
  mysql: {
    good: 'the server sends its handshake of protocol 10',
    judge: mysql,
  },
  postgres: {
    good: 'the server answers an SSLRequest with S or N',
    send: SSL_REQUEST,
    judge: (bytes) => (bytes[0] === 0x53 || bytes[0] === 0x4e ? '' : `answered ${JSON.stringify(head(bytes))}`),
  },
} satisfies Record<string, Greeting>;

/** A good first line; `last` matches once all lines of the answer are there. */
function line(bytes: Buffer, isGood: (text: string) => boolean, last = /\n/): string | undefined {
  const text = bytes.toString('latin1');
  if (!text.includes('\n')) return undefined;
  if (!isGood(text)) return `answered ${JSON.stringify(head(bytes))}`;
  return last.test(text) ? '' : undefined;
}

function mysql(bytes: Buffer): string | undefined {
  if (bytes.length <= MYSQL_HEADER) return undefined;
  const kind = bytes[MYSQL_HEADER];
  if (kind === MYSQL_HANDSHAKE) return '';
  // An error packet: code in two bytes, then the text.
  if (kind === MYSQL_ERROR) return `refused: ${bytes.toString('latin1', MYSQL_HEADER + 3, MYSQL_HEADER + 80)}`;
  return `answered ${JSON.stringify(head(bytes))}`;
}

function head(bytes: Buffer): string {
  return bytes.toString('latin1', 0, 60).split(/\r?\n/)[0]!;
}

function greeting({ good: words, send, judge, bye }: Greeting): Checker {
  return {
    good: words,
    options: [],
    run: async (place, options, signal) => {
      const socket = await connect(place, options, signal);
      try {
        if (send !== undefined) socket.write(send);
        const wrong = await readUntil(socket, judge);
        if (wrong === '' && bye !== undefined) socket.end(bye);
        return wrong === '' ? good('greeted') : { ok: false, text: wrong };
      } finally {
        if (!socket.writableEnded) hangUp(socket);
      }
    },
  };
}

export const smtp = greeting(GREETINGS.smtp);
export const redis = greeting(GREETINGS.redis);
export const mysqlGreeting = greeting(GREETINGS.mysql);
export const postgres = greeting(GREETINGS.postgres);
