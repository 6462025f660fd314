/** The flows of each path, and what makes their packets. */
import { type Path, type Subject, VIPS } from './subject.js';
import { type Family, Order, Template } from './traffic.js';

const SYN = 0x02;
const ACK = 0x10;

/**
 * The first flow of a path. Each service has its own clients. One client with connections to many
 * addresses is a different question (bench/support/walk.ts).
 */
export function firstFlow(path: Path): number {
  return { natin: 0, natout: 0, dr: 1, tun: 2 }[path] << 22;
}

/** Opens the connections of a path. */
export function established(subject: Subject, path: Path, family: Family, flows: number): void {
  const end = { address: VIPS[path][family === 4 ? 0 : 1], port: 80 };
  const syn = new Template(family, false, end, SYN, '02:00:00:00:0d:00');
  const first = firstFlow(path);
  let sequence = first;
  while (sequence < first + flows) {
    subject.sources[0].fill(syn, () => sequence++);
    subject.run();
  }
}

/**
 * Template and flow order of the measured packets of a path. The source of replies alternates as
 * the destinations of the flows do.
 */
export function traffic(path: Path, family: Family, flows: number) {
  const order = new Order();
  const flow = () => firstFlow(path) + order.next(flows);
  const end = { address: VIPS[path][family === 4 ? 0 : 1], port: 80 };
  if (path !== 'natout') return { template: new Template(family, false, end, ACK, '02:00:00:00:0d:00'), flow };
  const from = { address: family === 4 ? '192.168.1.11' : '2001:db8:1::11', port: 8080 };
  return { template: new Template(family, true, from, ACK, '02:00:00:00:0d:01'), flow };
}
