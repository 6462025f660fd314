/**
 * Who may use the console. The page is at a loopback address, so that every program of the machine
 * and every page in its browsers can send requests to it:
 *
 *     Host a loopback name?  ─► no: a foreign name leads here (DNS rebinding)
 *     Origin the console's?  ─► no: the request comes from another page
 *     a session, a token or a certificate?  ─► no: the login form
 *     may this role do it?
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { type PeerCertificate, TLSSocket } from 'node:tls';

/** An operator may change rules, a reader may look. */
export type Role = 'operator' | 'reader';

/** Somebody who is logged in. `name` is what the log says. */
export interface User {
  readonly name: string;
  readonly role: Role;
}

/** The cookie of a session. */
const COOKIE = 'ulvs_console';
const SESSION_MS = 12 * 3600_000;
const SESSIONS = 200;
/** Wrong tokens in FAILURES_MS after which nobody may log in for the rest of that time. */
const FAILURES = 20;
const FAILURES_MS = 60_000;

/** The token of a file, which is made when it is missing. Throws an Error of one line. */
export function tokenOf(file: string): string {
  try {
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
      chmodSync(file, 0o600);
    }
    const token = readFileSync(file, 'utf8').trim();
    if (token.length < 16) throw new Error('the token is shorter than 16 characters; remove the file for a new one');
    return token;
  } catch (error) {
    throw new Error(`console: ${file}: ${(error as Error).message}`);
  }
}

/** The name in the header Host is one of this machine's loopback. Any port: ssh -L changes it. */
export function isOwnHost(host: string | undefined): boolean {
  const name = /^(\[[0-9a-f:]+\]|[^:]*)(?::\d{1,5})?$/i.exec(host ?? '')?.[1]?.toLowerCase() ?? '';
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The request does not come from another page. Requests that change something must say where. */
export function isOwnOrigin({ method, headers, socket }: IncomingMessage): boolean {
  const { origin, host, authorization } = headers;
  const scheme = socket instanceof TLSSocket ? 'https' : 'http';
  if (origin !== undefined) return origin === `${scheme}://${host}`;
  if (headers['sec-fetch-site'] === 'cross-site') return false;
  // curl sends no Origin; a foreign page cannot set this header.
  return method === 'GET' || method === 'HEAD' || authorization !== undefined;
}

interface Session extends User {
  readonly until: number;
}

/** Tokens, sessions and certificates. */
export class Access {
  private readonly sessions = new Map<string, Session>();
  private failures = 0;
  private failuresSince = 0;

  /**
   * `readers`: names and fingerprints of certificates whose users only look. `now`: monotonic time,
   * ms, so that a step of the wall clock ends no session and keeps no door shut.
   */
  constructor(
    private readonly tokens: Readonly<Partial<Record<Role, string>>>,
    private readonly readers: readonly string[] = [],
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The user of a request; undefined: nobody is logged in. */
  userOf(request: IncomingMessage): User | undefined {
    return this.byCertificate(request) ?? this.bySession(request) ?? this.byHeader(request);
  }

  /**
   * Logs in by a token. Returns the value of the header Set-Cookie, or undefined for a wrong one.
   */
  login(token: string, request: IncomingMessage): string | undefined {
    const role = this.roleOf(token);
    if (role === undefined) return undefined;
    const id = randomBytes(24).toString('base64url');
    this.forgetOld();
    this.sessions.set(id, { name: `${role} at the console`, role, until: this.now() + SESSION_MS });
    return cookie(id, SESSION_MS / 1000, request);
  }

  /** Ends the session of a request. Returns the value of the header Set-Cookie. */
  logout(request: IncomingMessage): string {
    this.sessions.delete(sessionId(request));
    return cookie('', 0, request);
  }

  private bySession(request: IncomingMessage): User | undefined {
    const session = this.sessions.get(sessionId(request));
    return session !== undefined && session.until > this.now() ? session : undefined;
  }

  private byHeader({ headers }: IncomingMessage): User | undefined {
    const token = /^Bearer (\S{1,200})$/.exec(headers.authorization ?? '')?.[1];
    const role = token === undefined ? undefined : this.roleOf(token);
    return role && { name: `${role} by token`, role };
  }

  /** A certificate that the authority of the configuration has signed. */
  private byCertificate({ socket }: IncomingMessage): User | undefined {
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    const certificate = socket.getPeerCertificate();
    const name = `certificate ${String(certificate.subject?.CN ?? '?').slice(0, 64)}`;
    const reads = this.readers.some((reader) => isOf(certificate, reader));
    return { name, role: reads ? 'reader' : 'operator' };
  }

  /** Compares in constant time. After too many wrong tokens every one is wrong for a while. */
  private roleOf(token: string): Role | undefined {
    if (this.now() - this.failuresSince > FAILURES_MS) {
      this.failures = 0;
      this.failuresSince = this.now();
    }
    if (this.failures >= FAILURES) return undefined;
    const found = (['operator', 'reader'] as const).filter((role) => isSame(token, this.tokens[role]));
    if (found[0] === undefined) this.failures++;
    return found[0];
  }

  private forgetOld(): void {
    for (const [id, { until }] of this.sessions)
      if (until <= this.now() || this.sessions.size >= SESSIONS) this.sessions.delete(id);
  }
}

/** The certificate has this common name, alternative name or SHA-256 fingerprint. */
function isOf({ subject, subjectaltname = '', fingerprint256 = '' }: PeerCertificate, who: string): boolean {
  const digits = (text: string) => text.replaceAll(':', '').toLowerCase();
  const names = [subject?.CN, ...subjectaltname.split(', ').map((name) => name.replace(/^[^:]+:/, ''))].flat();
  return names.includes(who) || (/^[0-9a-f]{64}$/.test(digits(who)) && digits(fingerprint256) === digits(who));
}

function isSame(token: string, right: string | undefined): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return right !== undefined && timingSafeEqual(digest(token), digest(right));
}

function sessionId({ headers }: IncomingMessage): string {
  return new RegExp(`(?:^|; )${COOKIE}=([\\w-]{1,64})`).exec(headers.cookie ?? '')?.[1] ?? '';
}

function cookie(id: string, seconds: number, { socket }: IncomingMessage): string {
  const secure = socket instanceof TLSSocket ? '; Secure' : '';
  return `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`;
}
