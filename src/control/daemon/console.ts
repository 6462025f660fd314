/** The console of a director: what it may ask for, in the name of its users. */
import path from 'node:path';
import type { Logger } from 'pino';
import type { Handler } from '../api/session.js';
import type { Config } from '../config/director-config.js';
import { tokenOf } from '../console/access.js';
import { runDoctor } from '../console/doctor.js';
import { type ConsoleServer, serveConsole } from '../console/server.js';

/** Starts the console, if the configuration has one. Rejects with an Error of one line. */
export async function startConsole(
  { console: config, socket }: Config,
  handler: Handler,
  log: Logger,
): Promise<ConsoleServer | undefined> {
  if (config === undefined) return undefined;
  const { listen, tls, token = besideOf(socket), readToken } = config;
  const own = { pid: process.pid, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const server = await serveConsole({
    listen,
    tls,
    tokens: { operator: tokenOf(token), ...(readToken !== undefined && { reader: tokenOf(readToken) }) },
    tokenFile: token,
    clientFor: ({ name }) => ({ request: async (request) => handler(request, { ...own, user: name }) }),
    extras: { examine: () => runDoctor(['--no-probe', '--socket', socket]) },
  });
  log.info({ tokenFile: token }, `the console is at ${server.address}`);
  return server;
}

/** The file of the token without one in the configuration: ulvs.token for ulvs.sock. */
function besideOf(socket: string): string {
  return path.join(path.dirname(socket), `${path.parse(socket).name}.token`);
}
