/** Checks of the key `checks` against itself: names, dependencies, what a type needs. */
import { keyText } from '../../service/config.js';
import type { KeyPath } from './position.js';
import type { Problems } from './problem.js';
import type { Sections } from './sections.js';
import { serviceWords } from './service-words.js';

type Checks = Sections['checks'];
type Run = Checks[number]['run'];

/** Adds the mistakes to `problems`. */
export function crossCheckChecks(checks: Checks, problems: Problems): void {
  checks.forEach(({ service, run, quorum, hysteresis }, i) => {
    const first = checks.findIndex((other) => keyText(other.service) === keyText(service));
    if (first !== i) problems.add(['checks', i, 'service'], `${serviceWords(service)} is already at checks[${first}]`);
    if (hysteresis > 0 && hysteresis >= quorum)
      problems.add(['checks', i, 'hysteresis'], `${hysteresis} is not less than the quorum, ${quorum}`);
    if (run.length === 0) problems.add(['checks', i, 'run'], 'the list is empty; add a check such as { type: tcp }');
    checkRun(run, ['checks', i, 'run'], problems);
  });
}

function checkRun(run: Run, path: KeyPath, problems: Problems): void {
  const names = run.map(({ name, type }) => name ?? type);
  run.forEach((check, j) => {
    const { name, type, after, command, lookup } = check;
    if (name !== undefined && names.indexOf(name) !== j)
      problems.add([...path, j, 'name'], `${name} is already in use`);
    if (after !== undefined && !names.includes(after))
      problems.add([...path, j, 'after'], `no check of this service is called ${JSON.stringify(after)}`);
    else if (waitsForItself(run, names, j)) problems.add([...path, j, 'after'], 'the check would wait for itself');
    if (type === 'script' && command.length === 0)
      problems.add([...path, j, 'command'], 'a script needs a command such as [/usr/local/bin/check]');
    if (type === 'dns' && lookup === undefined) problems.add([...path, j, 'lookup'], 'dns needs a name to look up');
  });
}

/** Following `after` from check `j` leads back to it. */
function waitsForItself(run: Run, names: readonly string[], j: number): boolean {
  let at = j;
  for (let steps = 0; steps < run.length; steps++) {
    at = names.indexOf(run[at]!.after ?? '');
    if (at < 0) return false;
    if (at === j) return true;
  }
  return false;
}
