/** Runs programs of the system (ip, tcpdump, curl …), also in a network namespace. */
import { execFile } from 'node:child_process';

/** A program is missing or failed. The message is one line: the command and its error. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

export interface Output {
  stdout: string;
  stderr: string;
}

/** Bytes of output. */
const LIMIT = 64 * 1024 * 1024;

/**
 * Runs a program with `input` on stdin. Resolves with its output. Rejects with a CommandError
 * unless its exit code is 0.
 */
export function command(file: string, args: readonly string[], input?: string): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, [...args], { maxBuffer: LIMIT }, (error, stdout, stderr) => {
      if (error) reject(new CommandError(complaint(file, args, error, stderr)));
      else resolve({ stdout, stderr });
    });
    child.stdin?.on('error', () => {}); // it may exit without reading; the exit code tells
    child.stdin?.end(input);
  });
}

function complaint(file: string, args: readonly string[], error: Error & { code?: unknown }, stderr: string): string {
  if (error.code === 'ENOENT')
    return `${file} is not installed: scripts/setup.sh (or make setup) installs what a lab needs`;
  const said = stderr.trim().split('\n').slice(0, 3).join('; ') || error.message.split('\n')[0];
  return `${file} ${args.slice(0, 6).join(' ')}: ${said}`;
}

/** The same in a network namespace of `ip netns`. */
export function inNamespace(namespace: string, ...words: readonly string[]): Promise<Output> {
  return command('ip', ['netns', 'exec', namespace, ...words]);
}

/**
 * Runs many ip(8) commands in one process: one a line, without the word ip. Rejects with a
 * CommandError.
 */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await command('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}
