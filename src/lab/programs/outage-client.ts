/**
 * The client of an outage lab: `node outage-client.js GROUPS` (JSON). Prints `ready` when all
 * downloads are open, then a line of JSON (Report[]) for each line that it reads. It ends when its
 * input ends.
 */
import dgram from 'node:dgram';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  byteAt,
  datagramAt,
  type Group,
  PERIOD,
  type Report,
  SILENT,
  SMALL,
  timeOfEcho,
  timesOf,
} from '../outage/measure.js';

/** After this time, in ms, an opening has failed. */
const PATIENCE = 5000;
/** Until a download that was lost begins again, ms. */
const AGAIN = 300;
/** Longest a download may be silent at the start, ms. */
const START = 20_000;

class Load {
  private open = 0;
  private lost = 0;
  private wrong = 0;
  private bytes = 0;
  private downloadGap = 0;
  private sent = 0;
  private echoed = 0;
  private flowGap = 0;
  private opened = 0;
  private refused = 0;
  private slowest = 0;
  private readonly last: number[] = [];
  private readonly lastEcho: number[] = [];
  private echoTimes: number[] = [];
  private openingTimes: number[] = [];

  constructor(private readonly group: Group) {}

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.group.downloads }, (_, i) => this.download(i)));
    for (let i = 0; i < this.group.flows; i++) this.flow(i);
    if (this.group.rate > 0) void this.openings();
  }

  /** Resolves with the first block. */
  private download(i: number): Promise<void> {
    const { vip, tcp, from } = this.group;
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: vip, port: tcp, localAddress: from });
      const timer = setTimeout(() => reject(new Error(`${vip}: no answer in ${START / 1000} s`)), START);
      let at = 0;
      let isOpen = false;
      delete this.last[i];
      socket.on('connect', () => {
        isOpen = true;
        this.open++;
        socket.write('stream\n');
      });
      socket.on('data', (block) => {
        clearTimeout(timer);
        this.downloadGap = Math.max(this.downloadGap, this.since(this.last, i));
        for (const byte of block) if (byte !== byteAt(at++)) this.wrong++;
        this.bytes += block.length;
        resolve();
      });
      socket.on('error', (error) => reject(error));
      socket.on('close', () => {
        if (isOpen) this.open--;
        if (isOpen) this.lost++;
        if (this.group.again) setTimeout(() => void this.download(i).catch(() => {}), AGAIN);
      });
    });
  }

  private since(last: number[], i: number): number {
    const now = performance.now();
    const gap = now - (last[i] ?? now);
    last[i] = now;
    return gap;
  }

  private flow(i: number): void {
    const { vip, udp, from } = this.group;
    const socket = dgram.createSocket('udp4');
    socket.on('error', () => {});
    socket.on('message', (echo) => {
      const time = timeOfEcho(echo);
      if (time === undefined) this.wrong++;
      else this.echoTimes.push(performance.now() - time);
      this.echoed++;
      this.flowGap = Math.max(this.flowGap, this.since(this.lastEcho, i));
    });
    socket.bind(0, from, () => {
      setInterval(() => {
        this.sent++;
        socket.send(datagramAt(performance.now()), udp, vip, () => {});
      }, PERIOD);
    });
  }

  private async openings(): Promise<void> {
    const begin = performance.now();
    for (let n = 0; ; n++) {
      const due = begin + (n * 1000) / this.group.rate;
      const wait = due - performance.now();
      if (wait > 1) await sleep(wait);
      void this.opening();
    }
  }

  private opening(): Promise<void> {
    const { vip, tcp, from } = this.group;
    return new Promise((resolve) => {
      const began = performance.now();
      let got = 0;
      const socket = net.connect({ host: vip, port: tcp, localAddress: from });
      socket.setTimeout(PATIENCE, () => socket.destroy());
      socket.on('connect', () => socket.write('get\n'));
      socket.on('data', (block) => {
        got += block.length;
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        const took = performance.now() - began;
        if (got === SMALL) {
          this.opened++;
          this.openingTimes.push(took);
        } else this.refused++;
        this.slowest = Math.max(this.slowest, took);
        resolve();
      });
    });
  }

  /** What became of the group since the last call; a gap that lasts counts as far as it goes. */
  report(): Report {
    const now = performance.now();
    const silent = (last: number[]) => Math.max(0, ...last.map((then) => now - then));
    const report = {
      name: this.group.name,
      open: this.open,
      lost: this.lost,
      wrong: this.wrong,
      bytes: this.bytes,
      downloadGap: Math.max(this.downloadGap, silent(this.last)),
      silence: silent(this.last),
      silent: this.last.filter((then) => now - then >= SILENT).length,
      sent: this.sent,
      echoed: this.echoed,
      flowGap: Math.max(this.flowGap, silent(this.lastEcho)),
      opened: this.opened,
      refused: this.refused,
      slowest: this.slowest,
      echo: timesOf(this.echoTimes),
      opening: timesOf(this.openingTimes),
    };
    this.echoTimes = [];
    this.openingTimes = [];
    this.downloadGap = this.flowGap = this.slowest = 0;
    this.bytes = this.sent = this.echoed = this.opened = this.refused = 0;
    return report;
  }
}

async function main(): Promise<void> {
  const loads = (JSON.parse(process.argv[2] ?? '[]') as Group[]).map((group) => new Load(group));
  for (const load of loads) await load.start();
  console.log('ready');
  for await (const _ of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(loads.map((load) => load.report())));
  process.exit(0);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
