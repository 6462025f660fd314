/** A plot of rates over time, by uPlot. Its colours are those of the page's theme. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock, short } from './text.js';

export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

interface PlotProps {
  /** What is plotted, for those who do not see it. */
  readonly title: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly height?: number;
}

const COLOURS = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6'];

export function Plot({ title, times, lines, height = 130 }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const names = lines.map(({ name }) => name).join('\n');
  useEffect(() => {
    const element = place.current!;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(element, names.split('\n'), height), data, element);
    };
    draw();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    sizes.observe(element);
    addEventListener('themechange', draw);
    return () => {
      sizes.disconnect();
      removeEventListener('themechange', draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [names, height]);
  useEffect(() => plot.current?.setData(data));
  const now = lines.map(({ name, values }) => `${name} ${short(values.at(-1) ?? 0)}`).join(', ');
  return (
    <figure class="plot">
      <figcaption>
        {title}
        <ul class="legend">
          {lines.map(({ name, values }, i) => (
            <li key={name}>
              <i class={`swatch line-${(i % COLOURS.length) + 1}`} />
              {name} <b>{short(values.at(-1) ?? 0)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} role="img" aria-label={`${title}: ${now}`} style={{ height: `${height}px` }} />
    </figure>
  );
}

/** The value of a colour variable. A canvas does not know light-dark(). */
function colour(element: HTMLElement, name: string): string {
  const probe = element.appendChild(document.createElement('span'));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function optionsOf(element: HTMLElement, names: readonly string[], height: number): uPlot.Options {
  const [text, grid] = [colour(element, '--muted'), colour(element, '--border')];
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  const line = (i: number) => ({
    stroke: colour(element, COLOURS[i % COLOURS.length]!),
    width: 2,
    points: { show: false },
  });
  return {
    width: element.clientWidth || 300,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 6, 0, 0],
    axes: [
      {
        ...axis,
        size: 22,
        font: '11px system-ui',
        space: 80,
        values: (_, marks) => marks.map((at) => clock(at * 1000)),
      },
      { ...axis, size: 46, font: '11px system-ui', values: (_, marks) => marks.map(short) },
    ],
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    series: [{}, ...names.map((_, i) => line(i))],
  };
}
