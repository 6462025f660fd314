/**
 * The audit log: a line for each change by a client of the control socket: who, by which command,
 * what was there before and what is there now. A long batch is one line, and its changes are there
 * with --log-level debug. No packet causes a line.
 */
import type { Logger } from 'pino';
import { keyText } from '../../service/config.js';
import { argumentsOf } from '../../sys/process.js';
import type { AdminReply, AdminRequest, ChangeRequest } from '../api/api.js';
import { READING } from '../api/reading.js';
import type { Asker } from '../api/session.js';
import type { Settings } from '../config/director-config.js';
import { type Before, changeInWords } from '../rules/change-words.js';
import { counted } from '../text/counted.js';

/** A batch with more changes than this is one line. */
const FEW = 10;
/** `ulvs trace` without --count asks for more packets than this. */
const MOST_COUNTED = 999_999_999;
/** Characters of a command line. */
const COMMAND = 200;

/** What is there. */
export interface AuditState {
  readonly before: Before;
  readonly settings: Settings;
}

export class Audit {
  /** Command lines, by session. */
  private readonly commands = new WeakMap<Asker, string>();

  constructor(
    private readonly log: Logger,
    private readonly state: () => AuditState,
  ) {}

  /** Call before the request is answered, and what it returns with the reply. */
  begin(request: AdminRequest, peer: Asker): (reply: AdminReply) => void {
    const who = peer.user === undefined ? { uid: peer.uid, pid: peer.pid } : { console: peer.user };
    if (READING.has(request.op) || request.op === 'tracePoll' || (request.op === 'reload' && request.dryRun))
      return () => this.log.debug({ ...who, request: request.op }, 'asked');
    const words = this.words(request);
    const by = peer.user === undefined ? { ...who, command: this.commandOf(peer) } : who;
    return (reply) => this.note(by, request, words, reply);
  }

  /** A client with many requests is looked up once. */
  private commandOf(peer: Asker): string {
    const known = this.commands.get(peer);
    if (known !== undefined) return known;
    const command = argumentsOf(peer.pid).join(' ').slice(0, COMMAND);
    this.commands.set(peer, command);
    return command;
  }

  private words(request: AdminRequest): string[] {
    const { before, settings } = this.state();
    if (request.op === 'batch')
      return this.isOneLine(request) ? [] : request.requests.map((one) => changeInWords(one, before));
    if (request.op === 'setSysctl')
      return [
        `sysctl.${request.name} ${(settings.sysctl as Record<string, number>)[request.name]} -> ${request.value}`,
      ];
    if (request.op === 'setTimeouts') {
      const { tcp, tcpfin, udp } = settings.timeouts;
      return [`timeouts ${tcp} ${tcpfin} ${udp} -> ${Object.values(request.timeouts).join(' ')} (0: as before)`];
    }
    if (request.op === 'traceStart') return [traceInWords(request)];
    if (request.op === 'reload') return [`reload ${request.file ?? ''}`.trim()];
    if (request.op === 'traceStop') return ['the trace ends'];
    if (request.op === 'withdraw') return [`announced VIPs ${request.withdrawn ? 'withdrawn' : 'announced again'}`];
    if (request.op === 'drain') return [drainInWords(request)];
    if (request.op === 'endConnections') {
      const what = [request.tcp ? 'TCP' : '', request.udp ? 'UDP' : ''].filter((word) => word !== '').join(' and ');
      return [`${keyText(request.key)} destination ${request.address}:${request.port}: its ${what} connections end`];
    }
    return [changeInWords(request as ChangeRequest, before)];
  }

  private note(who: object, request: AdminRequest, words: readonly string[], reply: AdminReply): void {
    const replies = reply.ok && reply.replies !== undefined ? reply.replies : [reply];
    const isLong = request.op === 'batch' && request.requests.length > FEW;
    for (const [i, text] of words.entries()) {
      const one = replies[i] ?? reply;
      this.log[isLong ? 'debug' : 'info'](who, one.ok ? text : `refused (${one.errno}): ${text}`);
    }
    if (!isLong) return;
    const accepted = replies.filter(({ ok }) => ok).length;
    const { requests } = request;
    this.log.info(who, `${accepted} of ${requests.length} changes of a batch accepted: ${summary(requests)}`);
  }

  /** Its changes are not named: nobody reads them, and they cost time. */
  private isOneLine({ requests }: Extract<AdminRequest, { op: 'batch' }>): boolean {
    return requests.length > FEW && !this.log.isLevelEnabled('debug');
  }
}

function traceInWords({ count, filter }: Extract<AdminRequest, { op: 'traceStart' }>): string {
  const many = count > MOST_COUNTED ? 'all packets' : counted(count, 'packet');
  return `a trace begins: ${many}${filter === '' ? '' : `, filter "${filter}"`}`;
}

function drainInWords({ key, address, port, share }: Extract<AdminRequest, { op: 'drain' }>): string {
  const destination = `${keyText(key)} destination ${address}:${port}`;
  return share === undefined ? `${destination} drains no longer` : `${destination} drains, with ${share} of its weight`;
}

function summary(requests: readonly ChangeRequest[]): string {
  const counts = new Map<string, number>();
  for (const { op } of requests) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].map(([op, count]) => `${count} ${op}`).join(', ');
}
