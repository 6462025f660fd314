/** The log of a running director. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

/** Logs to stderr: readable lines on a terminal, JSON lines otherwise. */
export function newLogger(level: string): Logger {
  const stream = process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
    : pino.destination({ dest: 2, sync: true });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}
