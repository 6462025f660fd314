/**
 * The balancers that are measured between client and realservers. One entry of `BALANCERS` is one
 * case.
 */
import { rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { type Running, start, stop, untilReady } from '../../../src/lab/build/process.js';
import { namespaceOf, program } from '../../../src/lab/names.js';
import { inNamespace, ipBatch } from '../../../src/sys/command.js';
import { BULK_PORT, WEB_PORT } from './load.js';
import { pinned, processors } from './placement.js';
import type { Scene } from './scene.js';
import { listening, nginxConfig } from './servers.js';
import { BACK, BALANCER, FRONT, routeByBalancer, routeDirect, type Site, VIP } from './site.js';

export interface Balancer {
  readonly name: string;
  /**
   * Resolves when the balancer serves. The result is its process, or undefined when it has none.
   */
  readonly begin: (scene: Scene) => Promise<Running | undefined>;
  /** The address to which iperf3 connects. */
  readonly bulkAddress: string;
  /** Removes what is left after the process ends. Something that does not exist is not an error. */
  readonly end: (scene: Scene) => Promise<unknown>;
}

export const HAPROXY = 'HAProxy';
/** From Debian's package libnginx-mod-stream. */
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

export const DIRECT: Balancer = {
  name: 'direct',
  bulkAddress: FRONT.realservers[0],
  begin: ({ site }) => routeDirect(site).then(() => undefined),
  end: nothing,
};

export const BALANCERS: readonly Balancer[] = [
  DIRECT,
  by('nft DNAT', beginNft, ({ site }) => inBox(site, 'nft', 'flush', 'ruleset')),
  by(HAPROXY, (scene) => beginProxy(scene, haproxy(scene)), dropVip),
  by('nginx stream', (scene) => beginProxy(scene, nginx(scene)), dropVip),
  ...(['auto', 'packet'] as const).flatMap((kind) => [
    by(`ulvs NAT, ${shown(kind)}`, (scene) => beginUlvs(scene, kind, '-m')),
    by(`ulvs DR, ${shown(kind)}`, (scene) => beginUlvs(scene, kind, '-g')),
  ]),
  by('ulvs NAT, packet, offload', (scene) => beginUlvs(scene, 'packet', '-m', 'auto')),
  by('ulvs DR, packet, offload', (scene) => beginUlvs(scene, 'packet', '-g', 'auto')),
];

function by(name: string, begin: Balancer['begin'], end: Balancer['end'] = nothing): Balancer {
  return { name, bulkAddress: VIP, begin, end };
}

/** The device kind in the name of the case. On a veth, `auto` selects `xdp`. */
function shown(kind: 'auto' | 'packet'): string {
  return kind === 'auto' ? 'xdp' : kind;
}

async function nothing(): Promise<void> {}

function inBox({ id }: Site, ...words: string[]): Promise<{ stdout: string }> {
  return inNamespace(namespaceOf(id, BALANCER), ...words);
}

function dropVip({ site }: Scene): Promise<void> {
  return ipBatch(namespaceOf(site.id, BALANCER), ['address flush dev lo scope global']);
}

function startIn({ site, place, directory }: Scene, what: string, words: readonly string[]): Running {
  const line = [...pinned(place, 'balancer'), ...words];
  return start(what, namespaceOf(site.id, BALANCER), `${directory}/${what}.log`, line);
}

async function beginNft({ site, directory }: Scene): Promise<undefined> {
  const [one, two] = BACK.realservers;
  const file = `${directory}/dnat.nft`;
  const rules = [
    `type nat hook prerouting priority dstnat`,
    `ip daddr ${VIP} tcp dport ${WEB_PORT} dnat to numgen inc mod 2 map { 0 : ${one}, 1 : ${two} }`,
    `ip daddr ${VIP} tcp dport ${BULK_PORT} dnat to ${one}`,
  ];
  writeFileSync(file, `table ip balance {\n chain in {\n${rules.map((rule) => `  ${rule}\n`).join('')} }\n}\n`);
  await inBox(site, 'nft', '-f', file);
  await routeByBalancer(site);
}

async function beginProxy(scene: Scene, words: readonly string[]): Promise<Running> {
  const namespace = namespaceOf(scene.site.id, BALANCER);
  await ipBatch(namespace, [`address add ${VIP}/32 dev lo`]);
  await routeByBalancer(scene.site);
  const running = startIn(scene, words[0]!, words);
  await orEnd(
    running,
    untilReady(running, () => listening(namespace, [WEB_PORT, BULK_PORT])),
  );
  return running;
}

/** Stops the process when it does not get ready. */
async function orEnd(running: Running, ready: Promise<void>): Promise<void> {
  try {
    await ready;
  } catch (error) {
    await stop([running]);
    throw error;
  }
}

/**
 * HAProxy with round robin over TCP, one thread for each processor, and default settings otherwise.
 */
function haproxy({ directory, place }: Scene): string[] {
  const file = `${directory}/haproxy.cfg`;
  const servers = BACK.realservers.map((rip, i) => `  server rs${i + 1} ${rip}:${WEB_PORT}`);
  const text = [
    `global\n  maxconn 8192\n  nbthread ${processors(place)}`,
    'defaults\n  mode tcp\n  balance roundrobin\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s',
    `listen web\n  bind ${VIP}:${WEB_PORT}\n${servers.join('\n')}`,
    `listen bulk\n  bind ${VIP}:${BULK_PORT}\n  server rs1 ${BACK.realservers[0]}:${BULK_PORT}`,
  ];
  writeFileSync(file, `${text.join('\n')}\n`);
  return ['haproxy', '-db', '-f', file];
}

function nginx({ directory, place }: Scene): string[] {
  const file = `${directory}/stream.conf`;
  const listeners = `
  server { listen ${VIP}:${WEB_PORT} backlog=4096; proxy_pass web; }
  server { listen ${VIP}:${BULK_PORT}; proxy_pass ${BACK.realservers[0]}:${BULK_PORT}; }`;
  const servers = BACK.realservers.map((rip) => `server ${rip}:${WEB_PORT};`).join(' ');
  const stream = `stream { upstream web { ${servers} } ${listeners} }`;
  writeFileSync(file, nginxConfig(`${directory}/stream.pid`, processors(place), stream, [STREAM_MODULE]));
  return ['nginx', '-c', file];
}

async function beginUlvs(
  scene: Scene,
  kind: 'auto' | 'packet',
  how: '-m' | '-g',
  offload: 'auto' | 'off' = 'off',
): Promise<Running> {
  const { site, directory } = scene;
  const file = `${directory}/director.yaml`;
  const socket = `${directory}/ulvs.sock`;
  writeFileSync(file, `offload: ${offload}\n${directorYaml(site, socket, kind, how)}`);
  rmSync(socket, { force: true });
  await routeByBalancer(site);
  const running = startIn(scene, 'ulvs', [process.execPath, program('cli/main.js'), 'run', '-c', file]);
  await orEnd(
    running,
    untilReady(running, () => answers(socket)),
  );
  return running;
}

function directorYaml({ devices }: Site, socket: string, kind: string, how: '-m' | '-g'): string {
  const rips = how === '-m' ? BACK.realservers : FRONT.realservers;
  const rules = [
    `-A -t ${VIP}:${WEB_PORT} -s rr`,
    ...rips.map((rip) => `-a -t ${VIP}:${WEB_PORT} -r ${rip}:${WEB_PORT} ${how}`),
    `-A -t ${VIP}:${BULK_PORT} -s rr`,
    `-a -t ${VIP}:${BULK_PORT} -r ${rips[0]}:${BULK_PORT} ${how}`,
  ];
  const names = devices.map((dev) => `{ name: ${dev}, kind: ${kind} }`);
  return [`socket: ${socket}`, `devices: [ ${names.join(', ')} ]`, 'rules: |', ...rules.map((rule) => `  ${rule}`)]
    .join('\n')
    .concat('\n');
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path, () => resolve(true));
    socket.on('connect', () => socket.end()).on('error', () => resolve(false));
  });
}
