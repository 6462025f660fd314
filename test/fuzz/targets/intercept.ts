/**
 * Targets: what is kept from the host's stack.
 *
 *     `intercept`   rules that come and go, and frames: the XDP program in the kernel with its maps takes what a
 *                   plain reading of the rules takes
 *     `worlds`      directors with services, marks, ranges and snat, and packets: the dataplane's own question
 *                   (dataplane/host/intercepted.ts), the rules for nft and the XDP maps say the same
 *
 * Rules and frames are made by choices, and the input has the choices: a byte or two for each.
 */
import { interceptRules } from '../../../src/control/host/intercept-rules.js';
import { isIntercepted } from '../../../src/dataplane/host/intercepted.js';
import { parse } from '../../../src/dataplane/parse/parse.js';
import { isShared } from '../../../src/dataplane/path/forward-shared.js';
import type { InterceptRule } from '../../../src/device/intercept/rule.js';
import { InterceptMaps } from '../../../src/device/xdp/intercept-maps.js';
import { interceptProgram } from '../../../src/device/xdp/program.js';
import { createMap, loadXdp, MapType, testXdp, updateMap, XDP_REDIRECT } from '../../../src/sys/bpf.js';
import { check, socket } from '../../../src/sys/libc.js';
import { AF_XDP } from '../../../src/sys/xdp-socket.js';
import { anyPacket, input as inputOf, MACS, matches, world } from '../../dataplane/host/worlds.js';
import { anyFrame, anyRule, changeHosts, MAC } from '../../device/xdp/any.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { isTakenBy } from '../../device/xdp/reference.js';
import { Random } from '../../support/seed.js';
import type { Session, Target } from '../engine/target.js';

/** Random numbers of which the first bytes are the input's; 0 after its end. */
class Choices extends Random {
  private at = 0;

  constructor(private readonly choices: Uint8Array) {
    super(1);
  }

  get left(): number {
    return this.choices.length - this.at;
  }

  override u32(): number {
    const [high = 0, low = 0] = [this.choices[this.at], this.choices[this.at + 1]];
    this.at += 2;
    return ((high << 24) | (low << 16)) >>> 0;
  }
}

/** The program and its maps for a device, in the kernel. They are kept as long as the process lives. */
class Kernel {
  readonly maps: InterceptMaps;
  private readonly program: number;

  constructor(device: string, mac: string) {
    this.maps = new InterceptMaps([{ name: device }], [], () => Buffer.from(mac, 'hex'));
    const xsks = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: 1 });
    const xsk = check(socket(AF_XDP, 3, 0), 'socket');
    updateMap(xsks, new Uint8Array(4), new Uint8Array(Uint32Array.of(xsk).buffer));
    this.program = loadXdp(interceptProgram(this.maps.fdsOf(device), xsks));
  }

  takes(frame: Buffer): boolean {
    return testXdp(this.program, frame) === XDP_REDIRECT;
  }
}

const kernels = new Map<string, Kernel>();
function kernelFor(device: string, mac: string): Kernel {
  const known = kernels.get(device + mac) ?? new Kernel(device, mac);
  kernels.set(device + mac, known);
  return known;
}

const MOST_RULES = 40;

class Changing implements Session {
  private rules: InterceptRule[] = [];
  private readonly kernel = kernelFor('eth0', MAC);

  constructor() {
    this.kernel.maps.update([]);
  }

  run(input: Uint8Array): void {
    const choices = new Choices(input);
    while (choices.left > 0) {
      // To replace all rules takes milliseconds.
      const kind = choices.below(32);
      if (kind === 0) this.replace([...this.rules, ...this.some(choices)].slice(-MOST_RULES));
      else if (kind === 1) this.replace(this.rules.filter(() => choices.bool()));
      else if (kind < 6) this.rules = changeHosts(this.rules, choices, this.kernel.maps).slice();
      else this.compare(anyFrame(choices));
    }
  }

  private some(choices: Choices): InterceptRule[] {
    return Array.from({ length: 1 + choices.below(6) }, () => anyRule(choices));
  }

  private replace(rules: InterceptRule[]): void {
    this.rules = rules;
    this.kernel.maps.update(rules);
  }

  private compare(frame: Buffer): void {
    const wanted = isTakenBy(this.rules, 'eth0', MAC, frame);
    if (this.kernel.takes(frame) !== wanted)
      throw new Error(`${frame.toString('hex')} wanted ${wanted} by ${JSON.stringify(this.rules)}`);
  }
}

class World implements Session {
  private constructor(
    private readonly director: Awaited<ReturnType<typeof world>>['d'],
    private readonly exact: readonly InterceptRule[],
    private readonly atLeast: readonly InterceptRule[],
    private readonly kernels: readonly Kernel[],
  ) {}

  static async of(seed: number): Promise<World> {
    const one = await world(new Random(seed));
    const rules = inputOf(one);
    const atLeast = interceptRules(rules, true);
    const both = MACS.map((mac, i) => kernelFor(`eth${i}`, mac.replaceAll(':', '')));
    for (const { maps } of both) maps.update(atLeast);
    return new World(one.d, interceptRules(rules), atLeast, both);
  }

  run(input: Uint8Array): void {
    const choices = new Choices(input);
    do this.compare(choices.below(2), choices);
    while (choices.left > 0);
  }

  private compare(device: number, choices: Choices): void {
    const { director, exact, atLeast, kernels: both } = this;
    const bytes = anyPacket(choices, device);
    const frame = director.umem.put(bytes);
    director.packet.device = device;
    parse(director.umem.view, frame, bytes.length, director.packet);
    const byRules = matches(exact, device, bytes);
    const meant = director.forwardsShared && isShared(director); // never asked for those (ingress.ts)
    const byDataplane = meant ? byRules : isIntercepted(director);
    director.umem.free(frame);
    const [most, kernel] = [matches(atLeast, device, bytes), both[device]!.takes(Buffer.from(bytes))];
    if (byDataplane !== byRules || (byRules && !most) || kernel !== most)
      throw new Error(
        `eth${device} ${Buffer.from(bytes).toString('hex')}: dataplane ${byDataplane}, rules ${byRules}, at least ${most}, XDP ${kernel}`,
      );
  }
}

function seeds(): Uint8Array[] {
  const random = new Random(9);
  return Array.from({ length: 60 }, () => random.bytes(20 + random.below(200)));
}

/** None where the kernel has no AF_XDP; missing.ts says so. */
export const INTERCEPT: readonly Target[] =
  withoutXdp !== ''
    ? []
    : [
        {
          name: 'intercept',
          about: 'the maps of the XDP program against the intercept rules',
          covers: [
            'device/xdp/intercept-maps.ts',
            'device/xdp/intercept-table.ts',
            'device/xdp/trie.ts',
            'device/intercept',
          ],
          epoch: 512,
          seeds,
          begin: () => new Changing(),
        },
        {
          name: 'worlds',
          about: 'the interception of the dataplane against its rules and the XDP maps',
          covers: ['control/host/intercept-rules.ts', 'dataplane/host/intercepted.ts', 'control/mark'],
          epoch: 2048,
          seeds,
          begin: (epoch) => World.of(epoch + 1),
        },
      ];
