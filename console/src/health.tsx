/** The health checks of all real servers, those that fail first. */
import { duration } from './text.js';
import type { Snapshot } from './types.js';

/** Rows that are shown. */
const MOST = 200;

export function HealthTable({ health }: Pick<Snapshot, 'health'>) {
  const rows = health.flatMap(({ name: service, targets }) =>
    targets.flatMap(({ name, checks, since }) => checks.map((check) => ({ service, name, since, check }))),
  );
  if (rows.length === 0) return null;
  rows.sort((one, other) => Number(one.check.up) - Number(other.check.up));
  return (
    <article class="card" aria-label="health checks">
      <h3>Health checks</h3>
      <div class="scroll" tabIndex={0} role="group" aria-label="health checks by real server">
        <table>
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col">Real server</th>
              <th scope="col">Check</th>
              <th scope="col">State</th>
              <th scope="col">Last answer</th>
              <th scope="col" class="number">
                Took
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST).map(({ service, name, since, check }) => (
              <tr key={`${service} ${name} ${check.id}`}>
                <td>{service}</td>
                <th scope="row">{name}</th>
                <td>{check.id || check.type}</td>
                <td>
                  <span class={`badge ${check.up ? 'good' : 'bad'}`}>{check.up ? 'up' : 'down'}</span> for{' '}
                  {duration(since / 1000)}
                </td>
                <td class="key">{check.text}</td>
                <td class="number">{check.took.toFixed(1)} ms</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </article>
  );
}
