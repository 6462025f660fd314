/**
 * `ulvs run` under a service manager: what it tells the socket of NOTIFY_SOCKET, in which order, and
 * that the watchdog is answered only while the worker makes turns. Needs root.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { type Program, Testbed, until } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

/** Prints each datagram in one line of JSON; Node.js has no datagrams of Unix sockets. */
const LISTENER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", chr(0), 1))
print("ready", flush=True)
while True: print(json.dumps(s.recv(4096).decode()), flush=True)`;

/**
 * Stops one thread of a process for two seconds: ptrace(2) stops the thread alone, SIGSTOP all. It is
 * the thread that wakes most often and is not the main one: the worker.
 */
const STOP_WORKER = `
import ctypes, os, sys, time
pid = int(sys.argv[1])
def wakes(tid): return int(open(f"/proc/{pid}/task/{tid}/status").read().split("\\nvoluntary_ctxt_switches:")[1].split()[0])
tids = [int(t) for t in os.listdir(f"/proc/{pid}/task") if int(t) != pid]
before = {t: wakes(t) for t in tids}
time.sleep(0.5)
worker = max(tids, key=lambda t: wakes(t) - before[t])
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
assert libc.ptrace(16, worker, None, None) == 0, os.strerror(ctypes.get_errno())  # PTRACE_ATTACH
os.waitpid(worker, 0x40000000)                                                    # __WALL
print("stopped", flush=True)
time.sleep(2)
libc.ptrace(17, worker, None, None)                                               # PTRACE_DETACH
print("goes on", flush=True)`;

describe.skipIf(!isRoot)('a director under a service manager', () => {
  let testbed: Testbed;
  let listener: Program;
  let program: Program;
  const python = (script: string, ...words: string[]) =>
    testbed.start(testbed.director, ['python3', '-c', script, ...words]);
  const messages = () => listener.out.split('\n').flatMap((line) => (line.startsWith('"') ? [JSON.parse(line)] : []));
  const states = () => messages().flatMap((text: string) => /^(READY|RELOADING|STOPPING)=1/.exec(text)?.[1] ?? []);
  const pings = () => messages().filter((text: string) => text.startsWith('WATCHDOG=1')).length;

  beforeAll(async () => {
    testbed = new Testbed('manager');
    const socket = `@ulvs-test-${process.pid}`;
    listener = python(LISTENER, socket);
    await listener.says('ready');
    const file = testbed.config('director.yaml', { rules: '-A -t 10.1.0.100:80 -s rr' });
    program = testbed.ulvs(['run', '-c', file], ['env', `NOTIFY_SOCKET=${socket}`, 'WATCHDOG_USEC=600000']);
    await program.says('director is up');
  });
  afterAll(() => testbed.remove());

  it('says that it is ready, and what it does', async () => {
    await listener.says('READY=1');
    expect(messages()[0]).toBe('READY=1\nSTATUS=forwarding: 1 service, 0 connections');
  });

  it('answers the watchdog while the worker makes turns', async () => {
    expect(await until(() => pings() >= 3)).toBe(true);
  });

  it('does not answer the watchdog while the worker makes none', async () => {
    const stopper = python(STOP_WORKER, String(program.child.pid));
    await stopper.says('stopped');
    await program.says('worker 0 makes no turns: the watchdog gets no answer');
    const before = pings();
    await stopper.says('goes on');
    expect(pings() - before).toBeLessThan(2);
    expect(await until(() => pings() > before + 2)).toBe(true);
  });

  it('says that it reloads, with the time, and then that it is ready', async () => {
    const since = process.hrtime.bigint() / 1000n;
    program.kill('SIGHUP');
    expect(await until(() => states().length === 3)).toBe(true);
    expect(states()).toEqual(['READY', 'RELOADING', 'READY']);
    const time = /MONOTONIC_USEC=(\d+)/.exec(messages().join('\n'))![1]!;
    expect(BigInt(time)).toBeGreaterThanOrEqual(since);
  });

  it('says that it ends', async () => {
    program.kill('SIGTERM');
    expect((await program.ended).code).toBe(0);
    expect(states().at(-1)).toBe('STOPPING');
  });
});
