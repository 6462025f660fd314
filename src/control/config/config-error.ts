/** The error of a wrong configuration, in a file of its own: commands without one need no YAML. */

/** A configuration is wrong; the message has one line for each mistake. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  /** `problems`: `director.yaml:12: routes[0].via: …`, one a line, in file order. */
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}
