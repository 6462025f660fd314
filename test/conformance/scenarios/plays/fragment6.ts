/** Packets for the scenes about IPv6 fragments. */

import { A6, cut, type Datagram, echo, query6, reply6, S6, send, stats, udp } from '../pieces.js';
import { type Play, VIP6 } from '../stage.js';
import { orders } from './fragment.js';

/**
 * Fragments that are longer than IPv6's minimum MTU with the outer header, and shorter ones. Outer
 * fragments are never smaller than that MTU.
 */
export function small6(play: Play): void {
  for (const step of [1360, 1240, 800]) {
    const d = query6(3000);
    send(play, d, cut(d, step));
  }
  stats(play);
}

export function masq6(play: Play): void {
  orders(query6, 1448)(play);
  orders(reply6, 1448)(play);
  stats(play);
}
export function oneWay6(play: Play): void {
  orders(query6, 1448)(play);
  stats(play);
}
export function uneven6(play: Play): void {
  for (const d of [query6(1000), reply6(1000)])
    send(play, d, [
      { at: 0, len: 104 },
      { at: 104, len: 600 },
      { at: 704, len: 296 },
    ]);
  for (const d of [query6(200), reply6(200)])
    send(play, d, [
      { at: 0, len: 8 },
      { at: 8, len: 64 },
      { at: 72, len: 128 },
    ]);
  for (const d of [query6(1600), reply6(1600)])
    send(play, d, [
      { at: 0, len: 800 },
      { at: 792, len: 808 },
      { at: 800, len: 800 },
    ]);
  const dying = query6(2800);
  send(play, dying, cut(dying, 1448, { ttl: 1 }));
  const back = reply6(2800);
  send(play, back, cut(back, 1448, { ttl: 1 }));
  const plain: Datagram = { host: A6, src: A6, dst: S6, id: 1, protocol: 17, body: udp(A6, S6, 7000, 7001, 2800) };
  send(play, plain, cut(plain, 1448));
  const ping: Datagram = { host: A6, src: A6, dst: VIP6, id: 2, protocol: 58, body: echo(A6, VIP6, 2000) };
  send(play, ping, cut(ping, 1448));
  const lone = query6(2800);
  send(play, lone, [cut(lone, 1448)[0]!]);
  stats(play);
  play.at(62_000);
  play.end(95_000);
}
