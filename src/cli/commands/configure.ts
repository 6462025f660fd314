/**
 * `ulvs configure`: turns the HOWTO's lvs.conf into a director.yaml and a script for the
 * realservers.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Command } from 'commander';
import { parseConfig } from '../../control/config/config.js';
import { assumedType, directorYaml } from '../configure/director.js';
import { LvsConfError, parseLvsConf } from '../configure/lvsconf.js';
import { HostNames } from '../configure/names.js';
import { realserverScript } from '../configure/realserver.js';
import { guarded, UserError } from '../guard.js';

interface Options {
  hosts: string;
  out: string;
  script: string;
  force?: boolean;
}

export function configureCommand(): Command {
  return new Command('configure')
    .description(
      "read an lvs.conf of the HOWTO's configure script; write a director.yaml and a script for the realservers",
    )
    .argument('<file>', 'lvs_nat.conf, lvs_dr.conf …')
    .option('--hosts <file>', 'file in which host names are looked up', '/etc/hosts')
    .option('--out <file>', 'configuration to write', 'director.yaml')
    .option('--script <file>', 'script to write for the realservers', 'rc.realserver')
    .option('--force', 'overwrite existing files')
    .action((file: string, options: Options) => guarded(async () => configure(file, options)));
}

function configure(file: string, options: Options): void {
  try {
    const conf = parseLvsConf(read(file), file, new HostNames(read(options.hosts)));
    const yaml = directorYaml(conf, basename(file), options.out);
    // `ulvs run` must accept what is written.
    parseConfig(yaml, options.out);
    save(options.out, yaml, 0o644, options);
    save(options.script, realserverScript(conf, basename(file)), 0o755, options);
    const assumed = assumedType(conf);
    if (assumed !== undefined) console.error(`ulvs: note: ${file}: ${assumed}`);
  } catch (error) {
    throw error instanceof LvsConfError ? new UserError(error.message) : error;
  }
  console.log(`${options.out}: the director's configuration (ulvs run -c ${options.out})`);
  console.log(`${options.script}: run it on each realserver`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function save(file: string, text: string, mode: number, { force }: Options): void {
  if (existsSync(file) && force !== true)
    throw new UserError(`${file}: exists already; --force overwrites it, --out and --script name other files`);
  writeFileSync(file, text, { mode });
}
