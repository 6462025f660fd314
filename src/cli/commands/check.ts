/**
 * `ulvs check FILE`: everything that `ulvs run` checks in a configuration before it touches the
 * machine, and what it would warn of.
 */

import { Command } from 'commander';
import { type Config, loadConfig } from '../../control/config/config.js';
import { warnings } from '../../control/daemon/warnings.js';
import { missingCpus, tooManyWorkers } from '../../control/engine/placement.js';
import { checkDestinations } from '../../control/host/attach.js';
import { dryClient, newRules } from '../../control/server/dry-client.js';
import { counted } from '../../control/text/counted.js';
import { isShared } from '../../device/kinds.js';
import { ifNameToIndex } from '../../sys/libc.js';
import { loadRules } from '../../ulvsadm/rules.js';
import { guarded } from '../guard.js';

export function checkCommand(): Command {
  return new Command('check')
    .description('check a configuration and its rules as ulvs run would, without starting anything')
    .argument('<file>', 'the configuration, director.yaml')
    .action((file: string) => guarded(() => check(file)));
}

async function check(file: string): Promise<void> {
  const config = loadConfig(file);
  const rules = newRules(config);
  await loadRules(config, dryClient(rules));
  const services = rules.entries();
  if (config.devices.every(({ kind }) => !isShared(kind))) checkDestinations(config, services);
  for (const warning of [...ofMachine(config), ...warnings(config).map((text) => `: ${text}`)])
    console.error(`ulvs: warning: ${file}${warning}`);
  const destinations = services.reduce((sum, one) => sum + one.destinations.length, 0);
  const counts = [
    counted(config.devices.length, 'device'),
    counted(services.length, 'service'),
    counted(destinations, 'real server'),
  ];
  console.log(`${file}: correct: ${counts.join(', ')}`);
}

/** What this machine lacks, and what is not in the file. */
function ofMachine({ devices, deviceLines, workers, workerCpus, rules }: Config): string[] {
  const tooMany = tooManyWorkers(workers);
  const missing = devices.flatMap(({ name, kind }, i) => {
    if (!isShared(kind) || ifNameToIndex(name) !== 0) return [];
    return [`:${deviceLines[i]}: devices[${i}].name: ${name}: this machine has no such network interface`];
  });
  return [
    ...missing,
    ...(rules === undefined ? [] : [': rules: they are in etcd and are not checked here']),
    ...(tooMany === undefined ? [] : [`: ${tooMany}`]),
    ...missingCpus(workerCpus).map((text) => `: ${text}`),
  ];
}
