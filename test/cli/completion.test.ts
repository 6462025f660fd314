/** `ulvs completion`: real shells read the scripts, and complete by them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ulvsProgram } from '../../src/cli/program.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
const missing = SHELLS.filter((shell) => spawnSync(shell, ['-c', 'true']).error !== undefined);
if (missing.length > 0) console.log(`skipped: ${missing.join(' and ')}: not installed`);

const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-completion-'));
const fileOf = (shell: string) => path.join(folder, shell);

/** Prints what is offered for the last of the words. */
const ASK_BASH = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1" "$1"; printf '%s\\n' "\${COMPREPLY[@]}"`;

function bash(...words: string[]): string[] {
  return linesOf(execFileSync('bash', ['-c', ASK_BASH, fileOf('bash'), ...words], { encoding: 'utf8', cwd: folder }));
}

function fish(line: string): string[] {
  const ask = `source ${fileOf('fish')}; complete -C '${line}'`;
  return linesOf(execFileSync('fish', ['--no-config', '-c', ask], { encoding: 'utf8', cwd: folder }));
}

function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => line.split('\t')[0] || []);
}

beforeAll(async () => {
  for (const shell of SHELLS) {
    let script = '';
    const write = process.stdout.write;
    process.stdout.write = ((text: string) => (script += text)) as never;
    try {
      (await ulvsProgram('0')).parse(['node', 'ulvs', 'completion', shell]);
    } finally {
      process.stdout.write = write;
    }
    writeFileSync(fileOf(shell), script);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the completion', () => {
  it.skipIf(missing.includes('bash'))('for bash offers commands, options and their values', () => {
    expect(bash('ulvs', 'la')).toEqual(['lab']);
    expect(bash('ulvs', 'lab', 'do')).toEqual(['down']);
    expect(bash('ulvs', 'run', '--device', '')).toEqual(['xdp', 'packet', 'tap', 'cap', 'auto']);
    expect(bash('ulvs', 'lab', 'up', '--device', 'packet', 'ipv6-')).toEqual(['ipv6-nat', 'ipv6-dr']);
    expect(bash('ulvs', 'sysctl', 'conn_r')).toEqual(['conn_reuse_mode']);
    expect(bash('ulvs', 'check', 'fi')).toEqual(['fish']);
  });

  it.skipIf(missing.includes('bash'))('for bash knows the options of ulvsadm', () => {
    expect(bash('ulvsadm', '-s', 'lb')).toEqual(['lblc', 'lblcr']);
    expect(bash('ulvsadm', '--persistent-')).toEqual(['--persistent-conn']);
  });

  it.skipIf(missing.includes('fish'))('for fish offers the same', () => {
    expect(fish('ulvs la')).toEqual(['lab']);
    expect(fish('ulvs lab up ipv6-')).toEqual(['ipv6-dr', 'ipv6-nat']);
    expect(fish('ulvs run --log-level d')).toEqual(['debug']);
    expect(fish('ulvsadm -s lb')).toEqual(['lblc', 'lblcr']);
  });

  it.skipIf(missing.includes('zsh'))('for zsh is a script that zsh can read', () => {
    expect(execFileSync('zsh', ['-n', fileOf('zsh')], { encoding: 'utf8' })).toBe('');
    const define = `autoload -U compinit; compinit -D -u; functions[_f]="$(<${fileOf('zsh')})"; (( $+functions[_f] )) && echo ok`;
    expect(execFileSync('zsh', ['-fc', define], { encoding: 'utf8' })).toBe('ok\n');
  });
});
