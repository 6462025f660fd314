/**
 * The program on a realserver: `node realserver.js NAME CONTROL HTTP-PORT[,PORT…] ECHO-PORT
 * ADDRESS... [--transparent]` serves HTTP and UDP echo on every address. On the Unix socket CONTROL
 * it answers /count without counting that request.
 */
import type http from 'node:http';
import { RealService } from './service.js';
import { makeTransparent } from './transparent.js';

function listen(server: http.Server, ...where: [port: number, address: string] | [path: string]): Promise<void> {
  return new Promise((resolve, reject) => server.once('error', reject).listen(...(where as [number, string]), resolve));
}

async function main(words: string[]): Promise<void> {
  const transparent = words.includes('--transparent');
  const [name, control, httpPorts, echoPort, ...addresses] = words.filter((word) => word !== '--transparent');
  if (!name || !control || !httpPorts || addresses.length === 0)
    throw new Error('usage: realserver NAME CONTROL HTTP-PORT[,PORT…] ECHO-PORT ADDRESS... [--transparent]');
  const service = new RealService(name);
  for (const address of addresses) {
    for (const port of httpPorts.split(',')) await serve(service, Number(port), address, transparent);
    const socket = await service.echo(address, Number(echoPort));
    if (transparent) makeTransparent(socket);
  }
  await listen(service.httpServer(false), control);
  console.log('ready');
}

async function serve(service: RealService, port: number, address: string, transparent: boolean): Promise<void> {
  const server = service.httpServer();
  await listen(server, port, address);
  if (transparent) makeTransparent(server);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
