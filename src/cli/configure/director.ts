/** Writes a director.yaml for an lvs.conf. */
import { endpoint } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import type { LvsConf, Place, Server, Service } from './lvsconf.js';

const METHODS = { nat: '-m', dr: '-g', tun: '-i' } as const;
const TITLES = { nat: 'LVS-NAT', dr: 'LVS-DR', tun: 'LVS-Tun' } as const;

/** Which type was taken for a file without LVS_TYPE, and why; undefined: the file has it. */
export function assumedType({ type, isTypeGiven }: LvsConf): string | undefined {
  if (isTypeGiven) return undefined;
  const why = type === 'nat' ? 'a server has a port' : 'no server has a port';
  return `no LVS_TYPE= line: taken as ${TITLES[type]} (VS_${type.toUpperCase()}), because ${why}`;
}

/** `file`: the name under which it is saved. */
export function directorYaml(conf: LvsConf, source: string, file = 'director.yaml'): string {
  return [
    `# ${TITLES[conf.type]}, written by \`ulvs configure ${source}\`. Check it, then: ulvs run -c ${file}`,
    'devices:',
    ...devicesOf(conf).map((place) => `  - { name: ${place.device} }${commentOf(place)}`),
    '# No interface of the director has the VIP: the director accepts it in its process.',
    `# ${conf.vips.some(({ device }) => device === 'TP') ? 'VIP=TP: the router needs a route for the VIP to the director.' : 'The director answers ARP for the VIP.'}`,
    `accept: { arp: ${conf.vips.every(({ device }) => device !== 'TP')}, ranges: [${conf.vips.map(host).join(', ')}] }`,
    'rules: |',
    ...conf.vips.flatMap(({ address }) => conf.services.flatMap((service) => rulesFor(conf, address, service))),
    '',
  ].join('\n');
}

function devicesOf({ vips, dip }: LvsConf): Place[] {
  const places = [...vips.filter(({ device }) => device !== 'TP'), ...(dip === undefined ? [] : [dip])];
  return places.filter(({ device }, i) => places.findIndex((one) => one.device === device) === i);
}

function commentOf({ address, prefix }: Place): string {
  return prefix === undefined || prefix < 0 ? '' : `   # needs the address ${address}/${prefix}`;
}

function host({ address }: Place): string {
  return isIPv6(address) ? `"${address}/128"` : `${address}/32`;
}

function rulesFor(conf: LvsConf, vip: string, service: Service): string[] {
  const key = `-${service.protocol} ${endpoint(vip, service.port)}`;
  return [
    `  -A ${key} -s ${service.scheduler}`,
    ...service.servers.map(
      (server) => `  -a ${key} -r ${serverEndpoint(conf, server)} ${METHODS[conf.type]} -w ${server.weight}`,
    ),
  ];
}

/** DR and Tun keep the port: another one would be ignored. */
function serverEndpoint(conf: LvsConf, server: Server): string {
  return conf.type === 'nat' ? endpoint(server.address, server.port) : server.address;
}
