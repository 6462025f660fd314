/** The commands of family IPVS: order of checks and errnos as in ip_vs_ctl.c. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AdminClient, AdminRequest } from '../../../src/control/api/api.js';
import { CMD_ATTR, DAEMON_ATTR, DEST_ATTR, IPVS_CMD, SVC_ATTR } from '../../../src/exec/genl/constants.js';
import { serveDatagram } from '../../../src/exec/genl/datagram.js';
import { NLM_F } from '../../../src/netlink/constants.js';
import { messages } from '../../../src/netlink/message.js';
import { inProcess } from '../../ulvsadm/director.js';
import { ask, attribute, be16, nest, PEER, type Reply, request, text, u16, u32 } from '../messages.js';

const { ACK, DUMP } = NLM_F;
const key = [
  u16(SVC_ATTR.AF, 2),
  u16(SVC_ATTR.PROTOCOL, 6),
  attribute(SVC_ATTR.ADDR, Uint8Array.of(10, 0, 0, 1)),
  be16(SVC_ATTR.PORT, 80),
];
const flags = (set: number, mask = 0xffffffff) =>
  attribute(SVC_ATTR.FLAGS, new Uint8Array(Uint32Array.of(set, mask).buffer));
const rest = [text(SVC_ATTR.SCHED_NAME, 'rr'), u32(SVC_ATTR.TIMEOUT, 300), u32(SVC_ATTR.NETMASK, 0xffffffff)];
const service = (...more: Uint8Array[]) => nest(CMD_ATTR.SERVICE, ...key, ...more);
const full = service(...rest, flags(1));
const destKey = [attribute(DEST_ATTR.ADDR, Uint8Array.of(10, 0, 0, 9)), be16(DEST_ATTR.PORT, 8080)];
const numbers = [
  u32(DEST_ATTR.FWD_METHOD, 0),
  u32(DEST_ATTR.WEIGHT, 3),
  u32(DEST_ATTR.U_THRESH, 9),
  u32(DEST_ATTR.L_THRESH, 5),
];
const destination = (...more: Uint8Array[]) => nest(CMD_ATTR.DEST, ...destKey, ...more);

let client: AdminClient;
beforeEach(() => {
  client = inProcess();
});
const does = (command: number, ...attributes: Uint8Array[]) => ask(client, request(command, ACK, ...attributes));
const dumps = (command: number, ...attributes: Uint8Array[]) => ask(client, request(command, DUMP, ...attributes));
const { NEW_SERVICE, SET_SERVICE, DEL_SERVICE, GET_SERVICE, NEW_DEST, SET_DEST, DEL_DEST, GET_DEST } = IPVS_CMD;

describe('services', () => {
  it('come back as they were made', async () => {
    expect(await does(NEW_SERVICE, full)).toEqual(['ACK']);
    const [found] = (await dumps(GET_SERVICE)) as [Exclude<Reply, string>];
    const got = found.attributes.nested(CMD_ATTR.SERVICE)!;
    expect([got.u16(SVC_ATTR.AF), got.u16(SVC_ATTR.PROTOCOL), got.text(SVC_ATTR.SCHED_NAME)]).toEqual([2, 6, 'rr']);
    expect([...got.bytes(SVC_ATTR.ADDR)!]).toEqual([10, 0, 0, 1, ...Array(12).fill(0)]);
    expect(got.view(SVC_ATTR.PORT, 2)!.getUint16(0)).toBe(80);
    expect([got.u32(SVC_ATTR.TIMEOUT), got.u32(SVC_ATTR.NETMASK)]).toEqual([300, 0xffffffff]);
    expect([got.nested(SVC_ATTR.STATS)!.u32(1), got.nested(SVC_ATTR.STATS64)!.bytes(5)!.length]).toEqual([0, 8]);
  });

  it.each([
    ['no service', [], 'EINVAL: the service is missing'],
    ['no family', [nest(CMD_ATTR.SERVICE, ...key.slice(1))], /^EINVAL/],
    ['no port', [nest(CMD_ATTR.SERVICE, ...key.slice(0, 3))], /^EINVAL/],
    ['AF_UNIX', [nest(CMD_ATTR.SERVICE, u16(SVC_ATTR.AF, 1), ...key.slice(1))], 'EAFNOSUPPORT'],
    ['no scheduler', [service(flags(0), ...rest.slice(1))], /^EINVAL/],
    [
      'another protocol',
      [nest(CMD_ATTR.SERVICE, key[0]!, u16(SVC_ATTR.PROTOCOL, 1), ...key.slice(2), ...rest, flags(0))],
      /^EINVAL/,
    ],
    ['an unknown scheduler', [service(text(SVC_ATTR.SCHED_NAME, 'nosuch'), ...rest.slice(1), flags(0))], 'ENOENT'],
    [
      'a scheduler without its NUL',
      [service(attribute(SVC_ATTR.SCHED_NAME, Buffer.from('rr')), ...rest.slice(1), flags(0))],
      /^EINVAL/,
    ],
    ['a short family', [nest(CMD_ATTR.SERVICE, attribute(SVC_ATTR.AF, Uint8Array.of(2)), ...key.slice(1))], /^EINVAL/],
  ])('are refused with %s', async (_, attributes, reason) => {
    expect(await does(NEW_SERVICE, ...attributes)).toEqual([expect.stringMatching(reason)]);
  });

  it('are EEXIST twice, ESRCH when there is none', async () => {
    await does(NEW_SERVICE, full);
    expect(await does(NEW_SERVICE, full)).toEqual(['EEXIST']);
    expect(await does(DEL_SERVICE, service())).toEqual(['ACK']);
    for (const command of [SET_SERVICE, DEL_SERVICE, GET_SERVICE, IPVS_CMD.ZERO])
      expect(await does(command, full)).toEqual(['ESRCH']);
  });

  it('keep the flags that an edit masks out', async () => {
    await does(NEW_SERVICE, full);
    expect(await does(SET_SERVICE, service(...rest, flags(4, 4)))).toEqual(['ACK']);
    const reply = await client.request({ op: 'list' });
    expect(reply.ok && reply.services![0]!.flags).toBe(5);
  });
});

describe('destinations', () => {
  beforeEach(() => does(NEW_SERVICE, full));

  it('come back as they were made, with a tunnel', async () => {
    const tunnel = [
      attribute(DEST_ATTR.TUN_TYPE, Uint8Array.of(1)),
      be16(DEST_ATTR.TUN_PORT, 6080),
      u16(DEST_ATTR.TUN_FLAGS, 1),
    ];
    const gue = destination(u32(DEST_ATTR.FWD_METHOD, 2), ...numbers.slice(1), ...tunnel);
    expect(await does(NEW_DEST, service(), gue)).toEqual(['ACK']);
    const [found] = (await dumps(GET_DEST, service())) as [Exclude<Reply, string>];
    const got = found.attributes.nested(CMD_ATTR.DEST)!;
    expect([got.u32(DEST_ATTR.FWD_METHOD), got.u32(DEST_ATTR.WEIGHT), got.u32(DEST_ATTR.U_THRESH)]).toEqual([2, 3, 9]);
    expect([got.u16(DEST_ATTR.ADDR_FAMILY), got.u8(DEST_ATTR.TUN_TYPE), got.u16(DEST_ATTR.TUN_FLAGS)]).toEqual([
      2, 1, 1,
    ]);
    expect(got.view(DEST_ATTR.TUN_PORT, 2)!.getUint16(0)).toBe(6080);
  });

  it.each([
    ['no destination', NEW_DEST, [], /^EINVAL/],
    ['no weight', NEW_DEST, [destination(numbers[0]!)], /^EINVAL/],
    [
      'a negative weight',
      NEW_DEST,
      [destination(numbers[0]!, u32(DEST_ATTR.WEIGHT, 0xffffffff), ...numbers.slice(2))],
      'ERANGE',
    ],
    [
      'thresholds that cross',
      NEW_DEST,
      [destination(...numbers.slice(0, 2), u32(DEST_ATTR.U_THRESH, 1), numbers[3]!)],
      'ERANGE',
    ],
    ['IPv6 by masquerading', NEW_DEST, [destination(...numbers, u16(DEST_ATTR.ADDR_FAMILY, 10))], /^EINVAL/],
    ['an unknown one to edit', SET_DEST, [destination(...numbers)], 'ENOENT'],
    ['an unknown one to delete', DEL_DEST, [destination()], 'ENOENT'],
  ])('are refused with %s', async (_, command, attributes, reason) => {
    expect(await does(command, service(), ...attributes)).toEqual([expect.stringMatching(reason)]);
  });

  it('of an unknown service are ESRCH, whatever is wrong with them, and an empty dump', async () => {
    await does(DEL_SERVICE, service());
    for (const command of [NEW_DEST, SET_DEST, DEL_DEST]) expect(await does(command, service())).toEqual(['ESRCH']);
    expect(await dumps(GET_DEST, service())).toEqual(['DONE']);
    expect(await dumps(GET_DEST)).toEqual(['DONE']);
  });
});

describe('the rest', () => {
  it('timeouts: 0 and what is missing keep their values', async () => {
    expect(await does(IPVS_CMD.SET_CONFIG, u32(CMD_ATTR.TIMEOUT_TCP, 60), u32(CMD_ATTR.TIMEOUT_UDP, 0))).toEqual([
      'ACK',
    ]);
    const [now] = (await ask(client, request(IPVS_CMD.GET_CONFIG, 0))) as [Exclude<Reply, string>];
    expect([4, 5, 6].map((type) => now.attributes.u32(type))).toEqual([60, 120, 300]);
    expect(await does(IPVS_CMD.SET_CONFIG, u32(CMD_ATTR.TIMEOUT_TCP, 0xffffffff))).toEqual(['EINVAL']);
    expect(await does(IPVS_CMD.SET_CONFIG, attribute(CMD_ATTR.TIMEOUT_TCP, Uint8Array.of(1)))).toEqual([
      'ERANGE: Attribute failed policy validation',
    ]);
  });

  it('daemons: start, list, stop', async () => {
    const asked: AdminRequest[] = [];
    const running = {
      role: 'master',
      interface: 'eth0',
      syncid: 5,
      maxlen: 1472,
      group: '224.0.0.81',
      port: 8848,
      ttl: 1,
    } as const;
    client = {
      request: async (one) => {
        asked.push(one);
        return { ok: true, daemons: [running] };
      },
    };
    const daemon = [u32(DAEMON_ATTR.STATE, 1), text(DAEMON_ATTR.MCAST_IFN, 'eth0'), u32(DAEMON_ATTR.SYNC_ID, 5)];
    expect(await does(IPVS_CMD.NEW_DAEMON, nest(CMD_ATTR.DAEMON, ...daemon))).toEqual(['ACK']);
    expect(await does(IPVS_CMD.DEL_DAEMON, nest(CMD_ATTR.DAEMON, daemon[0]!))).toEqual(['ACK']);
    const [listed] = (await dumps(IPVS_CMD.GET_DAEMON)) as [Exclude<Reply, string>];
    const got = listed.attributes.nested(CMD_ATTR.DAEMON)!;
    expect([got.u32(1), got.text(2), got.u32(3), got.u16(4), got.u16(7), got.u8(8)]).toEqual([
      1,
      'eth0',
      5,
      1472,
      8848,
      1,
    ]);
    expect(asked).toEqual([
      { op: 'startDaemon', role: 'master', options: { interface: 'eth0', syncid: 5 } },
      { op: 'stopDaemon', role: 'master' },
      { op: 'daemons' },
    ]);
    expect(await does(IPVS_CMD.NEW_DAEMON, nest(CMD_ATTR.DAEMON, daemon[0]!))).toEqual([
      expect.stringMatching(/^EINVAL/),
    ]);
    expect(await does(IPVS_CMD.NEW_DAEMON, nest(CMD_ATTR.DAEMON, u32(1, 7)))).toEqual([
      expect.stringMatching(/^EINVAL/),
    ]);
  });

  it('info, zero and flush', async () => {
    const [info] = (await ask(client, request(IPVS_CMD.GET_INFO, 0))) as [Exclude<Reply, string>];
    expect([info.attributes.u32(1), info.attributes.u32(2)]).toEqual([0x010201, 4096]);
    await does(NEW_SERVICE, full);
    expect(await does(IPVS_CMD.ZERO)).toEqual(['ACK']);
    expect(await does(IPVS_CMD.ZERO, service())).toEqual(['ACK']);
    expect(await does(IPVS_CMD.FLUSH)).toEqual(['ACK']);
    expect(await dumps(GET_SERVICE)).toEqual(['DONE']);
  });

  it('commands that are not there, or not in this form: EOPNOTSUPP; other families: ENOENT', async () => {
    for (const command of [0, IPVS_CMD.SET_INFO, 18, 255]) expect(await does(command)).toEqual(['ENOTSUP']);
    expect(await does(GET_DEST, service())).toEqual(['ENOTSUP']);
    expect(await dumps(NEW_SERVICE, full)).toEqual(['ENOTSUP']);
    const other = request(1, ACK);
    other[4] = 30;
    expect(await ask(client, other)).toEqual(['ENOENT']);
  });
});

describe('messages', () => {
  it('several in a datagram are answered in order; a wrong length ends it', async () => {
    const two = Buffer.concat([request(NEW_SERVICE, ACK, full), request(NEW_SERVICE, ACK, full)]);
    expect(await ask(client, two)).toEqual(['ACK', 'EEXIST']);
    expect(await ask(client, two.subarray(0, two.length - 4))).toEqual(['EEXIST']);
    expect(await ask(client, two.subarray(0, 15))).toEqual([]);
  });

  it('go to the port id of the program, with its sequence number; a refusal repeats the request', async () => {
    const bytes = request(DEL_SERVICE, 0, service());
    const [datagram] = await serveDatagram(bytes, { portId: 99, extendedAck: false, cappedAck: false }, client);
    const [error] = [...messages(datagram!)];
    expect([error!.portId, error!.seq, error!.flags]).toEqual([99, 7, 0]);
    expect(Buffer.from(error!.body.subarray(4)).equals(bytes)).toBe(true);
    const [capped] = await serveDatagram(bytes, { portId: 99, extendedAck: false, cappedAck: true }, client);
    expect([...messages(capped!)][0]!.body).toHaveLength(20);
  });

  it('of a long dump are spread over datagrams of at most 8000 bytes', async () => {
    for (let i = 0; i < 100; i++) {
      const address = attribute(SVC_ATTR.ADDR, Uint8Array.of(10, 0, 1, i));
      await does(NEW_SERVICE, nest(CMD_ATTR.SERVICE, key[0]!, key[1]!, address, key[3]!, ...rest, flags(0)));
    }
    const datagrams = await serveDatagram(request(GET_SERVICE, DUMP), PEER, client);
    expect(datagrams.length).toBeGreaterThan(3);
    for (const one of datagrams) expect(one.length).toBeLessThanOrEqual(8000);
    expect(await dumps(GET_SERVICE)).toHaveLength(101);
  });

  it('that are no requests are acknowledged at most', async () => {
    const notice = request(GET_SERVICE, ACK);
    notice[6] = ACK;
    expect(await ask(client, notice)).toEqual(['ACK']);
    notice[6] = 0;
    expect(await ask(client, notice)).toEqual([]);
  });
});
