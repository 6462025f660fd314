/** What start and reload find out about a configuration before they use it. */
import { keyText } from '../../service/config.js';
import type { ServiceEntry } from '../api/api.js';
import { type Config, ConfigError } from '../config/config.js';
import { proxied } from '../config/director-config.js';
import { refuseBehindProxy } from '../rules/refusals.js';
import type { Rules } from '../rules/rules.js';
import { dryClient, newRules } from '../server/dry-client.js';
import type { Around, Parts } from './parts.js';
import { warnings } from './warnings.js';

/** The rule table that the rules of a configuration make. Rejects as LoadRules. */
export async function wantedRules(config: Config, { loadRules }: Around): Promise<Rules> {
  const wanted = newRules(config);
  await loadRules(config, dryClient(wanted));
  return wanted;
}

/** Throws a ConfigError when the host lacks an interface of the key sync. */
export function checkSync(parts: Parts, { file, sync }: Config): void {
  const missing = parts.sync.missing(sync);
  if (missing.length > 0) throw new ConfigError(missing.map((line) => `${file}: ${line}`));
}

/** Throws a ConfigError where a service with a SYN proxy has destinations that are not by NAT. */
export function checkProxied(config: Config, services: readonly ServiceEntry[]): void {
  const behind = new Set(proxied(config).map(keyText));
  const problems = services
    .filter(({ key }) => behind.has(keyText(key)))
    .flatMap(({ key, destinations }) =>
      destinations.map((destination) => refuseBehindProxy(destination, key)).filter((text) => text !== undefined),
    );
  if (problems.length > 0) throw new ConfigError([...new Set(problems)].map((line) => `${config.file}: ${line}`));
}

export function logWarnings({ config, log }: Parts): void {
  for (const line of warnings(config)) log.warn(`${config.file}: ${line}`);
}
