/** What start and reload say about a configuration before they use it. */
import { ineffective, withoutEffect } from '../../service/sysctl.js';
import { type Config, ConfigError } from '../config/config.js';
import type { Parts } from './parts.js';

/** Throws a ConfigError when the host lacks an interface of the key sync. */
export function checkSync(parts: Parts, { file, sync }: Config): void {
  const missing = parts.sync.missing(sync);
  if (missing.length > 0) throw new ConfigError(missing.map((line) => `${file}: ${line}`));
}

/** A warning for each sysctl of the file that has no effect. */
export function warnIneffective({ config, log }: Parts): void {
  const { file, sysctl } = config;
  for (const name of ineffective(sysctl)) log.warn(`${file}: sysctl.${name}: ${withoutEffect(name)}`);
}
