/** `ulvs health`: what the health checks see. */
import { Command } from 'commander';
import { ask } from '../../control/api/ask.js';
import { counted } from '../../control/text/counted.js';
import type { CheckStatus, ServiceStatus, TargetStatus } from '../../health/spec.js';
import { guarded } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';
import { duration } from './status.js';

interface Options {
  socket: string;
  json?: boolean;
}

export function healthCommand(): Command {
  return new Command('health')
    .description('show the health checks: state of each destination, quorum, the last answer of each check')
    .option('--json', 'print one JSON object')
    .addOption(socketOption())
    .action((options: Options) => guarded(() => show(options)));
}

async function show({ socket, json }: Options): Promise<void> {
  const { health = [] } = await withDirector(socket, (client) => ask(client, { op: 'health' }));
  if (json) console.log(JSON.stringify({ services: health }, null, 2));
  else console.log(healthText(health));
}

export function healthText(services: readonly ServiceStatus[]): string {
  if (services.length === 0)
    return 'no health checks: the key checks of director.yaml has none for a service that exists';
  return services.map(serviceText).join('\n');
}

function serviceText({ name, up, quorum, quorate, targets }: ServiceStatus): string {
  const checked = targets.filter(({ checks }) => checks.length > 0).length;
  const head = `${name}  ${up} of ${checked} up, quorum ${quorum} ${quorate ? 'reached' : 'lost'}`;
  return [head, ...targets.flatMap(targetLines)].join('\n');
}

function targetLines({ name, up, share, since, changes, checks }: TargetStatus): string[] {
  if (checks.length === 0) return [`  ${name.padEnd(24)} sorry server, ${share > 0 ? 'in use' : 'not in use'}`];
  const state = `${up ? 'up' : 'down'}  ${duration(Math.floor(since / 1000))}, ${counted(changes, 'change')}`;
  const weight = up && share < 1 ? `, ${Math.round(share * 100)} % of its weight` : '';
  return [`  ${name.padEnd(24)} ${state}${weight}`, ...checks.map(checkLine)];
}

function checkLine({ id, up, text, took, passed, failed }: CheckStatus): string {
  return `    ${id.padEnd(12)} ${(up ? 'up' : 'down').padEnd(5)} ${took.toFixed(1).padStart(7)} ms  ${passed} good, ${failed} bad: ${text}`;
}
