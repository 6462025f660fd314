/**
 * From the key `checks` and the rule table to the plans of the health checks: which destinations,
 * by which address, how often.
 */
import type { Check, ServicePlan, Target } from '../../health/spec.js';
import { endpoint, keyText } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import type { ChecksConfig } from '../config/director-config.js';
import { type Endpoint, serviceWords } from '../config/service-words.js';
import type { Destination } from '../rules/entries.js';
import type { SlottedService } from '../rules/health-weight.js';

/** Address for the checks of a destination. */
export type AddressFor = (service: SlottedService, destination: Destination) => string;

type RunConfig = ChecksConfig['run'][number];

/** The plans. Services that do not exist have none. */
export function plansOf(
  checks: readonly ChecksConfig[],
  services: readonly SlottedService[],
  addressFor: AddressFor,
): ServicePlan[] {
  const byKey = new Map(services.map((service) => [keyText(service.config.key), service]));
  return checks.flatMap((config) => {
    const service = byKey.get(keyText(config.service));
    return service === undefined ? [] : [planOf(config, service, addressFor)];
  });
}

function planOf(config: ChecksConfig, service: SlottedService, addressFor: AddressFor): ServicePlan {
  const { sorry } = config;
  const sorryOne = sorry && service.destinations.find((one) => isAt(one, sorry));
  const checks = namedChecks(config.run);
  const targets = service.destinations.map((one) =>
    targetOf(one, addressFor(service, one), one === sorryOne ? [] : checks),
  );
  return {
    name: serviceWords(config.service),
    quorum: config.quorum,
    hysteresis: config.hysteresis,
    sorry: sorryOne?.slot ?? -1,
    slowStart: config.slowStart * 1000,
    targets: targets.filter(({ checks: some, slot }) => some.length > 0 || slot === sorryOne?.slot),
  };
}

interface Named {
  readonly check: Check;
  readonly only: readonly Endpoint[] | undefined;
}

function targetOf({ slot, config }: Destination, address: string, checks: readonly Named[]): Target {
  const own = checks.filter(({ only }) => only === undefined || only.some((one) => isAt({ config }, one)));
  return {
    slot,
    name: endpoint(config.address, config.port),
    address,
    pinged: isIPv6(address) ? config.address : address,
    port: config.port,
    checks: own.map(({ check }) => check),
  };
}

function isAt({ config }: Pick<Destination, 'config'>, { address, port }: Endpoint): boolean {
  return config.address === address && (port === 0 || config.port === port);
}

/** Each check with its name: the type, and a number from the second one of its type on. */
function namedChecks(run: readonly RunConfig[]): Named[] {
  return run.map((config, i) => {
    const before = run.slice(0, i).filter(({ type, name }) => name === undefined && type === config.type).length;
    const id = config.name ?? (before === 0 ? config.type : `${config.type}-${before + 1}`);
    return { check: checkOf(config, id), only: config.destinations };
  });
}

function checkOf(config: RunConfig, id: string): Check {
  const { destinations, name, lookup = '', fastInterval, after = '', ...rest } = config;
  const { host = '', body = '', expect = '', sni = '', send = '' } = config;
  return {
    ...rest,
    host,
    body,
    expect,
    sni,
    send,
    id,
    after,
    name: lookup,
    fast: fastInterval * 1000,
    pause: config.pause * 1000,
    interval: config.interval * 1000,
    connectTimeout: Math.min(config.connectTimeout, config.timeout) * 1000,
    timeout: config.timeout * 1000,
  };
}
