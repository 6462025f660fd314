/**
 * `ulvs exec` at its limits: programs that lie about addresses, signals in the middle of calls, what
 * is refused at the start, other users, exit codes, daemons, /proc, a director that goes away.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../../support/netns.js';
import { type Program, until } from '../testbed.js';
import { ExecBed } from './bed.js';

if (!isRoot) console.log('exec: skipped, needs root for namespaces');

/** Calls with addresses that are not the program's, by the C library, so that nothing is checked before. */
const LIES = `
import ctypes, errno, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
word = ctypes.c_ulong
def call(function, *words):
    result = getattr(libc, function)(*(w if isinstance(w, ctypes.Array) else word(w) for w in words))
    return errno.errorcode[ctypes.get_errno()] if result < 0 else result
good = ctypes.create_string_buffer(4096)
BAD, KERNEL, HUGE = 16, 0xffff800000000000, 0x7fffffffffffffff
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fd = s.fileno()
def length(n): return ctypes.create_string_buffer(struct.pack("i", n), 8)
# a mapping whose second page is gone: a structure over its end
import mmap
libc.mmap.restype = ctypes.c_void_p
pages = libc.mmap(None, word(8192), 3, 0x22, -1, word(0))
libc.munmap(ctypes.c_void_p(pages + 4096), word(4096))
edge = pages + 4096 - 8
for name, what in [
    ("set unmapped", call("setsockopt", fd, 0, 1154, BAD, 44)),
    ("set kernel", call("setsockopt", fd, 0, 1154, KERNEL, 44)),
    ("set over the edge", call("setsockopt", fd, 0, 1154, edge, 44)),
    ("set huge", call("setsockopt", fd, 0, 1154, good, 0x7fffffff)),
    ("set negative", call("setsockopt", fd, 0, 1154, good, 0xffffffff)),
    ("set odd", call("setsockopt", fd, 0, 1154, good, 43)),
    ("get length unmapped", call("getsockopt", fd, 0, 1153, good, BAD)),
    ("get value unmapped", call("getsockopt", fd, 0, 1153, BAD, length(12))),
    ("get short", call("getsockopt", fd, 0, 1153, good, length(3))),
    ("get negative", call("getsockopt", fd, 0, 1153, good, length(-1))),
    ("get closed", call("getsockopt", 77, 0, 1153, good, length(12))),
    ("get of a file", call("getsockopt", os.open("/etc/passwd", 0), 0, 1153, good, length(12))),
]: print(name, what)
n = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
fd = n.fileno()
def header(iov, count, name=0, size=0): return ctypes.create_string_buffer(struct.pack("QiiQQQQi", name, size, 0, iov, count, 0, 0, 0), 56)
def vector(base, size): return ctypes.create_string_buffer(struct.pack("QQ", base, size), 16)
def at(buffer): return ctypes.addressof(buffer)
bad, huge, neg = vector(BAD, 20), vector(at(good), HUGE), vector(at(good), 0xffffffffffffffff)
for name, what in [
    ("send unmapped", call("sendto", fd, BAD, 20, 0, 0, 0)),
    ("send huge", call("sendto", fd, good, HUGE, 0, 0, 0)),
    ("send nothing", call("sendto", fd, good, 0, 0, 0, 0)),
    ("send to unmapped", call("sendto", fd, good, 20, 0, BAD, 12)),
    ("send to huge", call("sendto", fd, good, 20, 0, good, 4096)),
    ("sendmsg unmapped", call("sendmsg", fd, BAD, 0)),
    ("sendmsg vector unmapped", call("sendmsg", fd, header(at(bad), 1), 0)),
    ("sendmsg vectors unmapped", call("sendmsg", fd, header(BAD, 3), 0)),
    ("sendmsg many", call("sendmsg", fd, header(at(bad), 1 << 40), 0)),
    ("sendmsg huge", call("sendmsg", fd, header(at(huge), 1), 0)),
    ("sendmsg negative", call("sendmsg", fd, header(at(neg), 1), 0)),
]: print(name, what)
n.send(struct.pack("=IHHIIBBH", 20, 1023, 5, 1, 0, 15, 1, 0))
for name, what in [
    ("receive unmapped", call("recvfrom", fd, BAD, 4096, 0, 0, 0)),
    ("receive from unmapped", call("recvfrom", fd, good, 4096, 2, BAD, BAD)),
    ("recvmsg unmapped", call("recvmsg", fd, BAD, 0)),
    ("recvmsg vector unmapped", call("recvmsg", fd, header(at(bad), 1), 0)),
    ("recvmsg huge vector", call("recvmsg", fd, header(at(huge), 1), 2)),
]: print(name, what)
print("still there", len(n.recv(4096)), len(n.recv(4096)))
AT_FDCWD = 0xffffffffffffff9c
print("open unmapped", call("openat", AT_FDCWD, BAD, 0))
`;
const LIE_OUTCOMES = `set unmapped EFAULT
set kernel EFAULT
set over the edge EFAULT
set huge EINVAL
set negative EINVAL
set odd EINVAL
get length unmapped EFAULT
get value unmapped EFAULT
get short EINVAL
get negative EINVAL
get closed EBADF
get of a file ENOTSOCK
send unmapped EFAULT
send huge EMSGSIZE
send nothing ENODATA
send to unmapped EFAULT
send to huge EINVAL
sendmsg unmapped EFAULT
sendmsg vector unmapped EFAULT
sendmsg vectors unmapped EFAULT
sendmsg many EMSGSIZE
sendmsg huge EMSGSIZE
sendmsg negative EINVAL
receive unmapped EFAULT
receive from unmapped EFAULT
recvmsg unmapped EFAULT
recvmsg vector unmapped EFAULT
recvmsg huge vector 36
still there 36 36
open unmapped EFAULT
`;

/** Adds services under a signal every `us` µs (many become one on a busy machine); prints what failed, by error. */
const SIGNALLED = (count: number, us: number) => `
import collections, os, signal, socket, struct, errno, time
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
seen = 0
def hear(*_):
    global seen
    seen += 1
signal.signal(signal.SIGALRM, hear)
def attr(type, body): return struct.pack("=HH", 4 + len(body), type) + body + bytes(-len(body) % 4)
def change(i):
    service = attr(1, struct.pack("=H", 2)) + attr(2, struct.pack("=H", 6)) + attr(3, bytes([10, 9, i >> 8, i & 255]))
    service += attr(4, struct.pack(">H", 80)) + attr(6, b"rr\\0") + attr(7, struct.pack("=II", 0, 0xffffffff))
    service += attr(8, struct.pack("=I", 0)) + attr(9, struct.pack("=I", 0xffffffff))
    body = struct.pack("=BBH", 1, 1, 0) + attr(1, service)
    return struct.pack("=IHHII", 16 + len(body), 1023, 5, i + 1, 0) + body
errors = collections.Counter()
began = time.monotonic()
signal.setitimer(signal.ITIMER_REAL, ${us}e-6, ${us}e-6)
for i in range(${count}):
    try:
        s.send(change(i))
        error = struct.unpack_from("=i", s.recv(4096), 16)[0]
        if error: errors[errno.errorcode[-error]] += 1
    except OSError as problem: errors["call: " + str(problem)] += 1
signal.setitimer(signal.ITIMER_REAL, 0, 0)
due = (time.monotonic() - began) / ${us}e-6
print("signals", "yes" if seen > min(due / 20, ${count} / 10) else (seen, due), "errors", dict(errors))
`;

describe.skipIf(!isRoot)('ulvs exec', () => {
  let bed: ExecBed;
  let director: Program;
  beforeAll(async () => {
    bed = new ExecBed('xlim');
    director = await bed.up('-c', bed.config('empty.yaml'));
  });
  afterAll(() => bed.remove());

  it('answers lies about addresses with an errno, and goes on', async () => {
    const { out, err } = await bed.python(LIES);
    expect({ out, err }).toEqual({ out: LIE_OUTCOMES, err: '' });
  });

  const changes = Number(process.env.ULVS_RUNS ?? 100);
  // Before Linux 5.19 a signal ends the wait for an answer: the interval must be longer than an answer takes under load.
  it.each([
    ['50 µs', 50, []],
    ['ms, as before Linux 5.19', 1000, ['ULVS_EXEC_INTERRUPTIBLE=1']],
  ])('does each change once under a signal every %s', { timeout: 60_000 + 500 * changes }, async (_, us, variables) => {
    await bed.admin('-C');
    const { out, err } = await bed.python(SIGNALLED(changes, us), { variables });
    expect({ out, err }).toEqual({ out: 'signals yes errors {}\n', err: '' });
    const { out: saved } = await bed.admin('-Sn');
    expect(saved.split('\n').filter(Boolean)).toHaveLength(changes);
  });

  it('passes on exit codes and signals', async () => {
    expect((await bed.runExec(['sh', '-c', 'exit 7'])).code).toBe(7);
    expect((await bed.runExec(['sh', '-c', 'kill -9 $$'])).code).toBe(137);
    const waiting = bed.exec(['sh', '-c', 'trap "echo got; exit 3" USR1; echo ready; while :; do sleep 0.1; done']);
    await waiting.says('ready');
    waiting.kill('SIGUSR1');
    expect(await waiting.ended).toMatchObject({ code: 3, out: 'ready\ngot\n' });
  });

  it('refuses in one line', async () => {
    const missing = await bed.runExec(['nosuch']);
    expect(missing).toMatchObject({ code: 127, err: 'ulvs: exec: nosuch is not found: it is in no folder of PATH\n' });
    const nested = await bed.runExec(bed.execWords(['true']));
    expect(nested).toMatchObject({ code: 2, err: expect.stringMatching(/^ulvs: exec: a filter above .*\n$/) });
    const nobody = bed.start(
      bed.director,
      bed.execWords(['true'], {}).map((word) => word.replace('ulvs.sock', 'none')),
    );
    expect(await nobody.ended).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^ulvs: no director is listening on .*\n$/),
    });
  });

  it('waits for a daemon that the command leaves behind, and ends it', async () => {
    const daemon = bed.exec([
      'sh',
      '-c',
      '(trap "echo bye; exit" TERM; echo started; while :; do sleep 0.1; done) & exit 5',
    ]);
    await daemon.says('started');
    await sleep(300);
    expect(daemon.child.exitCode).toBeNull();
    daemon.kill('SIGTERM');
    expect(await daemon.ended).toMatchObject({ code: 5, out: 'started\nbye\n' });
  });

  it('needs no root, only access to the control socket', async () => {
    await bed.admin('-C');
    bed.run(bed.director, `chmod 711 ${bed.folder} ${bed.folder}/run; chmod 666 ${bed.socket}`);
    const prefix = 'setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all'.split(' ');
    const script = 'ipvsadm -A -t 10.1.0.100:80 -s rr; ipvsadm -Sn; ULVS= id -u; grep NoNewPrivs /proc/self/status';
    const said = await bed.shell(script, { prefix });
    expect(said).toBe('-A -t 10.1.0.100:80 -s rr\n65534\nNoNewPrivs:\t1\n');
    const old = await bed.shell('ipvsadm -Sn', { prefix, variables: ['ULVS_EXEC_NO_NETLINK=1'] });
    expect(old).toBe('-A -t 10.1.0.100:80 -s rr\n');
  });

  it('gives /proc/net/ip_vs* and the sysctls, which can be written', async () => {
    const name = '/proc/sys/net/ipv4/vs/expire_nodest_conn';
    const said = await bed.shell(
      `cat ${name}; echo 1 > ${name}; cat ${name}; echo many > ${name}; cat ${name} /proc/net/ip_vs_stats | head -2; cat /proc/sys/net/ipv4/vs/sync_threshold; cat /etc/hostname >/dev/null && echo other`,
      { options: ['--proc', 'every'] },
    );
    expect(said.replaceAll(/^ulvs exec: /gm, '').split('\n')).toEqual([
      '0',
      '1',
      '1',
      '   Total Incoming Outgoing         Incoming         Outgoing',
      '3\t50',
      'other',
      'sysctl expire_nodest_conn: "many" is not a whole number',
      '',
    ]);
  });

  it('ends the command when the supervisor is killed, and hangs nowhere', async () => {
    const waiting = bed.exec([
      'sh',
      '-c',
      'trap "ipvsadm -Ln; echo over; exit" TERM; echo ready $$; while :; do sleep 0.1; done',
    ]);
    await waiting.says('ready');
    const pid = /ready (\d+)/.exec(waiting.out)![1]!;
    waiting.kill('SIGKILL');
    expect(await until(() => bed.try(bed.director, `ps -o stat= -p ${pid}`).replace('Z', '').trim() === '')).toBe(true);
  });

  it('waits for a director that restarts, and ends the command when its table is another', async () => {
    const waiting = bed.exec(['sh', '-c', 'echo ready; while :; do sleep 0.1; done']);
    await waiting.says('ready');
    director.kill('SIGTERM');
    await director.ended;
    await sleep(500);
    expect(waiting.child.exitCode).toBeNull();
    director = await bed.up('-c', bed.config('empty.yaml'));
    const { code, err } = await waiting.ended;
    expect(err).toMatch(
      /^ulvs exec: the director on .* has started anew, without the services of this command; ending the command\n$/,
    );
    expect(code).toBe(75);
  });
});
