/** ulvsadm: ipvsadm 1.31's command line, output, sentences and exit codes, over any AdminClient. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AdminClient, AdminReply, AdminRequest, ChangeRequest } from '../control/api/api.js';
import { ask, mustAsk, type Run } from './ask.js';
import { check } from './check.js';
import { type Draft, destinationOf, emptyDraft, keyOf, serviceOf } from './draft.js';
import { BadLine, Exit, FAILED, fail, sentence } from './errors.js';
import { FrequentLines } from './frequent-line.js';
import { help, version } from './help.js';
import { list } from './list.js';
import { type Names, systemNames } from './names.js';
import { parse, tryHelp } from './parse.js';
import { linesOf, wordsOf } from './restore.js';

export interface Result {
  /** The exit code as a shell sees it, 0 to 255. */
  rc: number;
  out: string;
  err: string;
}

export interface Settings {
  /** The name in messages and help: `ulvsadm`, or `ipvsadm` for its exact output. */
  program?: string;
  names?: Names;
  /** Print listings as JSON. */
  json?: boolean;
}

/** The most lines of -R in one request. */
const BATCH = 500;
/** Requests that wait for an answer while the next one is read. */
const AHEAD = 8;

/**
 * Runs one command line; `argv` begins after the program's name. Neither exits nor prints. `stdin`
 * is called by -R only.
 */
export async function ulvsadm(
  argv: readonly string[],
  stdin: () => Promise<string> | string,
  client: AdminClient,
  { program = 'ulvsadm', names = systemNames(), json = false }: Settings = {},
): Promise<Result> {
  const run: Run = { client, stdin, program, names, json, out: '', err: '' };
  try {
    const rc = argv.length === 0 ? await list(run, emptyDraft('list')) : await perform(run, argv);
    return { rc, out: run.out, err: run.err };
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { rc: error.rc, out: run.out, err: error.message === '' ? run.err : `${run.err}${error.message}\n` };
  }
}

/** Both streams in the order in which `2>&1` of ipvsadm shows them: stdout is written last. */
export function bothStreams({ out, err }: Result): string {
  return err + out;
}

/**
 * Performs a command line. With `pending` it is a line of -R, whose change waits for the others.
 */
async function perform(run: Run, argv: readonly string[], pending?: Pending): Promise<number> {
  const parsed = await parse(argv, run);
  if (parsed === 'help') return leave(run, help(run.program));
  if (parsed === 'version') return leave(run, version(run.program));
  check(parsed);
  if (parsed.command === 'restore') return pending ? tryHelp(run.program) : restore(run);
  if (parsed.command === 'list' || parsed.command === 'save') {
    await pending?.flush();
    return list(run, parsed);
  }
  if (run.json) fail('--json is for listings only: -L and -S');
  if (parsed.command === 'start-daemon' || parsed.command === 'stop-daemon') return daemon(run, parsed);
  const request = requestOf(parsed, run.program);
  return pending ? pending.add(request) : report(run, request, await ask(run, request));
}

/**
 * Starts or stops a daemon of synchronisation. Where a socket fails, the reply has more words than
 * ipvsadm.
 */
async function daemon(run: Run, { command, role, daemon: options }: Draft): Promise<number> {
  const request: AdminRequest =
    command === 'stop-daemon' ? { op: 'stopDaemon', role } : { op: 'startDaemon', role, options };
  const reply = await ask(run, request);
  if (reply.ok) return 0;
  run.err += `${reply.text ?? sentence(request.op, reply.errno)}\n`;
  return FAILED;
}

/** Help and version end a whole -R, as exit(3) does in ipvsadm. */
function leave(run: Run, text: string): never {
  run.out += text;
  throw new Exit(0, '');
}

/**
 * Restores line by line, not all or nothing: a refused line is reported and the rest goes on. The
 * exit code is that of the last line.
 */
async function restore(run: Run): Promise<number> {
  const pending = new Pending(run);
  const frequent = new FrequentLines();
  let rc = 0;
  for (const line of linesOf(await run.stdin())) {
    const request = run.json ? undefined : frequent.read(line);
    if (request === undefined) rc = (await restoreLine(run, wordsOf(line), pending)) ?? rc;
    else rc = pending.put(request) ? 0 : await pending.wait();
  }
  return (await pending.flush()) ?? rc;
}

/** Resolves with the exit code of the line; undefined: it has no words. */
async function restoreLine(run: Run, line: readonly string[], pending: Pending): Promise<number | undefined> {
  if (line.length === 0) return undefined;
  try {
    return await perform(run, line, pending);
  } catch (error) {
    // The messages of earlier lines are printed first.
    await pending.flush();
    if (!(error instanceof BadLine)) throw error;
    run.err += `${error.message}\n`;
    return error.rc;
  }
}

/**
 * Changes that are sent in one request: each request makes the host change its packet filter. The
 * director works on one request while the next ones are read and sent.
 */
class Pending {
  private requests: ChangeRequest[] = [];
  /** The requests on their way, oldest first: the exit code of the last line of each. */
  private readonly sent: Promise<number>[] = [];

  constructor(private readonly run: Run) {}

  /** Returns 0: the exit code of the line is not known before `flush`. */
  async add(request: ChangeRequest): Promise<number> {
    return this.put(request) ? 0 : this.wait();
  }

  /** As `add`, without a promise for each line. False: `wait` must follow. */
  put(request: ChangeRequest): boolean {
    this.requests.push(request);
    if (this.requests.length < BATCH) return true;
    this.send();
    return false;
  }

  /**
   * Lets the request leave before the next lines are read: the director works meanwhile. Waits for
   * the oldest one if there are too many.
   */
  async wait(): Promise<number> {
    await (this.sent.length > AHEAD ? this.sent.shift() : nextTurn());
    return 0;
  }

  /** Returns the exit code of the last line that waited; undefined if there was none. */
  async flush(): Promise<number | undefined> {
    if (this.requests.length > 0) this.send();
    let last: number | undefined;
    for (const one of this.sent.splice(0)) last = await one;
    return last;
  }

  private send(): void {
    const answered = this.ask(this.requests);
    this.requests = [];
    // An error is reported where the answer is awaited.
    answered.catch(() => {});
    this.sent.push(answered);
  }

  private async ask(requests: readonly ChangeRequest[]): Promise<number> {
    const { replies = [] } = await mustAsk(this.run, { op: 'batch', requests: [...requests] });
    return replies.map((reply, i) => report(this.run, requests[i]!, reply)).at(-1) ?? FAILED;
  }
}

function report(run: Run, request: ChangeRequest, reply: AdminReply): number {
  if (reply.ok) return 0;
  run.err += `${reply.text ?? sentence(request.op, reply.errno)}\n`;
  return FAILED;
}

function requestOf(draft: Draft, program: string): ChangeRequest {
  const key = keyOf(draft);
  switch (draft.command) {
    case 'add-service':
      return { op: 'addService', service: serviceOf(draft) };
    case 'edit-service':
      return { op: 'editService', service: serviceOf(draft) };
    case 'delete-service':
      return { op: 'deleteService', key };
    case 'add-server':
      return { op: 'addDestination', key, destination: destinationOf(draft) };
    case 'edit-server':
      return { op: 'editDestination', key, destination: destinationOf(draft) };
    case 'delete-server':
      return { op: 'deleteDestination', key, address: draft.real.address, port: draft.real.port };
    case 'flush':
      return { op: 'flush' };
    case 'zero':
      return draft.options.has('service-address') ? { op: 'zero', key } : { op: 'zero' };
    case 'set':
      return { op: 'setTimeouts', timeouts: draft.timeouts };
    default:
      throw new Exit(FAILED, `${program}: --${draft.command}: this director has no connection synchronisation yet`);
  }
}
