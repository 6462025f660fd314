/**
 * ulvs behind TAP devices: each interface of the balancer is in a bridge with a TAP, and its
 * address is in the process.
 *
 *     front ── dev ─ bridge ─ TAP ── ulvs ── TAP ─ bridge ─ dev ── back
 */
import { namespaceOf } from '../../../src/lab/names.js';
import { inNamespace, ipBatch } from '../../../src/sys/command.js';
import { BACK, BALANCER, FRONT, type Site } from './site.js';

const ADDRESSES = [`${FRONT.balancer}/24`, `${BACK.balancer}/24`] as const;
const MACS = ['02:00:00:00:0d:10', '02:00:00:00:0d:11'] as const;

function tapOf(i: number): string {
  return `tap${i}`;
}

/** The devices in director.yaml. */
export function tapDevices(): string[] {
  return ADDRESSES.map(
    (address, i) => `{ name: ${tapOf(i)}, kind: tap, mac: "${MACS[i]}", addresses: [ ${address} ] }`,
  );
}

/** The kernel answers for the addresses no more. */
export function takeAddresses({ id, devices }: Site): Promise<void> {
  return ipBatch(
    namespaceOf(id, BALANCER),
    devices.map((dev) => `address flush dev ${dev}`),
  );
}

/** Call it when the TAPs are there. */
export async function bridgeTaps(site: Site): Promise<void> {
  const lines = site.devices.flatMap((dev, i) => [
    `link add bridge${i} type bridge`,
    `link set ${dev} master bridge${i}`,
    `link set ${tapOf(i)} master bridge${i}`,
    `link set ${tapOf(i)} up`,
    `link set bridge${i} up`,
  ]);
  await ipBatch(namespaceOf(site.id, BALANCER), lines);
  await forgetNeighbours(site);
}

/** Undoes it all, after the process has ended. */
export async function returnAddresses(site: Site): Promise<void> {
  const lines = site.devices.flatMap((dev, i) => [
    `link delete bridge${i}`,
    `address replace ${ADDRESSES[i]} dev ${dev}`,
  ]);
  await ipBatch(namespaceOf(site.id, BALANCER), lines);
  await forgetNeighbours(site);
}

/** The balancer's addresses have other MACs from now on. */
async function forgetNeighbours({ id, topology }: Site): Promise<void> {
  for (const { name } of topology.hosts.filter((host) => host.name !== BALANCER))
    await inNamespace(namespaceOf(id, name), 'ip', 'neigh', 'flush', 'all');
}
