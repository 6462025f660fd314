/** The routes of announced VIPs, as commands for ip(8). */
import { describe, expect, it } from 'vitest';
import { servedPrefixes, VipRoutes } from '../../../src/control/host/vip-routes.js';
import type { Served } from '../../../src/control/rules/served.js';

const tcp = (address: string, port: number, served = true): Served => ({ key: { protocol: 6, address, port }, served });
const WEB = tcp('10.9.0.1', 80);
const MAIL = tcp('10.9.0.1', 25);
const SIX = tcp('2001:db8::1', 80);
const MARKED: Served = { key: { fwmark: 1, family: 4 }, served: true };
const EMPTY = tcp('10.9.0.2', 80, false);

const quiesced = (one: Served): Served => ({ ...one, served: false });

function desk(answer: (line: string) => string = () => '') {
  const commands: string[] = [];
  const warnings: string[] = [];
  const batch = (family: '-4' | '-6', lines: readonly string[]) => {
    commands.push(...lines.map((line) => `${family} ${line}`));
    return answer(lines[0]!);
  };
  const options = { table: 1085, ranges: ['10.8.0.0/16', '2001:db8:8::/48'] };
  const routes = new VipRoutes('ulvs0', options, (message) => warnings.push(message), batch);
  const said = () => commands.splice(0).map((line) => line.replace(' dev ulvs0 table 1085 proto 85', ''));
  return { routes, said, warnings };
}

describe('the prefixes that a director serves', () => {
  it('are the addresses of services that are served', () => {
    expect(servedPrefixes([WEB, MAIL, SIX, EMPTY], [])).toEqual(['10.9.0.1/32', '2001:db8::1/128']);
    expect(servedPrefixes([quiesced(WEB), MAIL], [])).toEqual(['10.9.0.1/32']);
    expect(servedPrefixes([quiesced(WEB), quiesced(MAIL)], [])).toEqual([]);
  });

  it('are the ranges of its family for a service by mark', () => {
    const ranges = ['10.8.0.0/16', '2001:db8:8::/48'];
    expect(servedPrefixes([MARKED], ranges)).toEqual(['10.8.0.0/16']);
    expect(servedPrefixes([quiesced(MARKED)], ranges)).toEqual([]);
  });
});

describe('the routes', () => {
  it('follow the services', () => {
    const { routes, said } = desk();
    routes.update([WEB, SIX, EMPTY]);
    expect(said()).toEqual(['-4 route replace 10.9.0.1/32', '-6 route replace 2001:db8::1/128']);
    routes.update([WEB, MAIL, SIX]);
    expect(said()).toEqual([]);
    routes.update([quiesced(WEB), SIX]);
    expect(said()).toEqual(['-4 route del 10.9.0.1/32']);
    expect(routes.announced).toEqual(['2001:db8::1/128']);
  });

  it('go while the director is drained, and come back', () => {
    const { routes, said } = desk();
    routes.update([WEB]);
    routes.withdraw(true);
    routes.update([WEB, SIX]);
    expect(said()).toEqual(['-4 route replace 10.9.0.1/32', '-4 route del 10.9.0.1/32']);
    expect([routes.announced, routes.withdrawn]).toEqual([[], true]);
    routes.withdraw(false);
    expect(said()).toEqual(['-4 route replace 10.9.0.1/32', '-6 route replace 2001:db8::1/128']);
  });

  it('are set again when somebody has removed them', () => {
    const { routes, said } = desk();
    routes.update([WEB, SIX]);
    said();
    routes.check([
      { dst: '10.9.0.1/32', table: 254 },
      { dst: '2001:db8::1/128', table: 1085 },
    ]);
    expect(said()).toEqual(['-4 route replace 10.9.0.1/32']);
  });

  it('that the kernel refuses are warned of once, and tried again with the next change', () => {
    const { routes, said, warnings } = desk((line) =>
      line.includes('2001') ? 'IPv6 is disabled on nexthop device' : '',
    );
    routes.update([WEB, SIX]);
    routes.update([WEB, SIX]);
    expect(said().filter((line) => line.includes('2001'))).toHaveLength(2);
    expect(routes.announced).toEqual(['10.9.0.1/32']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^announce: 2001:db8::1\/128 is not announced: ip route replace .*: IPv6 is disabled/);
  });

  it('may be gone already when they are removed', () => {
    const { routes, warnings } = desk((line) => (line.includes(' del ') ? 'RTNETLINK answers: No such process' : ''));
    routes.update([WEB]);
    routes.update([]);
    expect([routes.announced, warnings]).toEqual([[], []]);
  });
});
