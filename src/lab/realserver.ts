/**
 * The program on a realserver: `node realserver.js NAME CONTROL HTTP-PORT ECHO-PORT ADDRESS...`
 * serves on every address, and answers /count on the Unix socket CONTROL without counting that.
 */
import type http from 'node:http';
import { RealService } from './service.js';

function listen(server: http.Server, ...where: [port: number, address: string] | [path: string]): Promise<void> {
  return new Promise((resolve, reject) => server.once('error', reject).listen(...(where as [number, string]), resolve));
}

async function main([name, control, httpPort, echoPort, ...addresses]: string[]): Promise<void> {
  if (!name || !control || addresses.length === 0)
    throw new Error('usage: realserver NAME CONTROL HTTP-PORT ECHO-PORT ADDRESS...');
  const service = new RealService(name);
  for (const address of addresses) {
    await listen(service.httpServer(), Number(httpPort), address);
    await service.echo(address, Number(echoPort));
  }
  await listen(service.httpServer(false), control);
  console.log('ready');
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
