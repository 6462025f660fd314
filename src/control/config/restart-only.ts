/** Refuses a reload that changes what only a restart can change. */
import { type Config, ConfigError } from './config.js';
import { isReloaded, SECTIONS } from './reference.js';

/** Throws a ConfigError that names the keys. */
export function refuseFixed(running: Config, wanted: Config): void {
  const changed = SECTIONS.filter((key) => !isReloaded(key) && textOf(running, key) !== textOf(wanted, key));
  if (changed.length === 0) return;
  throw new ConfigError([`${wanted.file}: ${changed.join(' and ')} cannot change while the director runs: restart it`]);
}

function textOf(config: Config, key: (typeof SECTIONS)[number]): string | undefined {
  return key === 'rules' ? undefined : JSON.stringify(config[key]);
}
