/** The log of a running director. */
import { type Logger, pino } from 'pino';
import { descriptor, LogSink } from './log-sink.js';

const STDERR = 2;

/**
 * Logs to stderr: readable lines on a terminal, JSON lines with the level as a word otherwise. What
 * cannot be written is counted, never waited for.
 */
export async function newLogger(level: string): Promise<Logger> {
  const readable = process.stderr.isTTY ? await pretty() : (line: string) => line;
  const sink = new LogSink(descriptor(STDERR), (count) => readable(lostLine(count)));
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => sink.write(readable(line)) },
  );
}

/** Loaded for a terminal only. */
async function pretty(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', colorize: true });
}

function lostLine(count: number): string {
  const msg = `${count} ${count === 1 ? 'line' : 'lines'} of the log could not be written and ${count === 1 ? 'is' : 'are'} lost`;
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), msg })}\n`;
}
