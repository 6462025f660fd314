/** Runs the system's own tools (ip, tcpdump, curl …), in a namespace where asked. */
import { execFile } from 'node:child_process';

/** A tool is missing or failed; the message is one line: the command, and what it said. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

export interface Output {
  stdout: string;
  stderr: string;
}

const LIMIT = 64 * 1024 * 1024;

/** Resolves with what it printed; rejects with CommandError unless it exits with 0. */
export function command(file: string, args: readonly string[], input?: string): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, [...args], { maxBuffer: LIMIT }, (error, stdout, stderr) => {
      if (error) reject(new CommandError(complaint(file, args, error, stderr)));
      else resolve({ stdout, stderr });
    });
    child.stdin?.on('error', () => {}); // it may exit without reading; its exit status says enough
    child.stdin?.end(input);
  });
}

function complaint(file: string, args: readonly string[], error: Error & { code?: unknown }, stderr: string): string {
  if (error.code === 'ENOENT')
    return `${file} is not installed: scripts/setup.sh (or make setup) installs what a lab needs`;
  const said = stderr.trim().split('\n').slice(0, 3).join('; ') || error.message.split('\n')[0];
  return `${file} ${args.slice(0, 6).join(' ')}: ${said}`;
}

export function inNamespace(namespace: string, ...words: readonly string[]): Promise<Output> {
  return command('ip', ['netns', 'exec', namespace, ...words]);
}

/** Many ip commands in one process: one a line, without the word ip. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await command('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}
