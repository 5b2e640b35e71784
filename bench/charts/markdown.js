import { titleOf } from '../benches.js';
import { shown } from '../support/figure.js';
import { furthest, inWords } from './chart.js';

/** The results whose charts are in the README itself. */
const SHOWN = ['host', 'fanout'];

const HEAD = ['what', 'reqcast', 'beside it', 'target'];

/** The text between the markers `<!-- bench:start -->` and `<!-- bench:end -->` replaced. */
export function between(document, block) {
  const marked = /(<!-- bench:start -->\n).*(<!-- bench:end -->)/s;
  if (!marked.test(document)) throw new Error('the markers of the benches are missing');
  return document.replace(marked, (_, start, end) => `${start}${block && `\n${block}\n\n`}${end}`);
}

/** For README.md: two charts, and a table of what matters most, which is what has targets, of an axis the end. */
export function summary(results) {
  const charts = results
    .filter(({ bench }) => SHOWN.includes(bench))
    .map((result) => picture(result, 'docs/bench/'));
  const rows = results.flatMap(({ figures }) =>
    furthest(figures)
      .filter(hasTargets)
      .map((figure) => row(figure)),
  );
  return [...charts, table(HEAD.slice(0, 3), rows), ...machines(results)].filter(Boolean).join('\n\n');
}

/** For bench/README.md: each chart, all figures with their spread, and the targets that were missed. */
export function details(results) {
  const parts = results.flatMap((result) => [
    `### ${titleOf(result.bench)}`,
    picture(result, '../docs/bench/'),
    table(
      HEAD,
      result.figures.map((figure) => [...row(figure, { spread: true }), verdictsOn(figure)]),
    ),
  ]);
  if (parts.length === 0) return '';
  const verdicts = results.flatMap(({ figures }) =>
    figures.flatMap((figure) =>
      figure.verdicts().map(({ met, text }) => ({ met, text: `- ${figure.title}, ${figure.unit}: ${text}` })),
    ),
  );
  const missed = verdicts.filter(({ met }) => !met).map(({ text }) => text);
  const list = missed.length > 0 ? missed.join('\n') : 'None.';
  return [...machines(results), ...parts, '### Targets that were missed', list].join('\n\n');
}

function picture({ bench, figures }, folder) {
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="${folder}${bench}-dark.svg">`,
    `  <img alt="${inWords(figures).replaceAll('"', '&quot;')}" src="${folder}${bench}.svg">`,
    '</picture>',
  ].join('\n');
}

function hasTargets(figure) {
  return figure.verdicts().length > 0;
}

function others(figure) {
  return figure.names.filter((name) => name !== figure.ours);
}

function row(figure, { spread = false } = {}) {
  const value = (name) => {
    const known = spread && figure.median(name) !== null;
    return figure.shown(name) + (known ? ` (${figure.spread(name).map(shown).join(' to ')})` : '');
  };
  return [
    `${figure.title}, ${figure.unit}`,
    figure.names.includes(figure.ours) ? `**${value(figure.ours)}**` : '',
    others(figure)
      .map((name) => `${name} ${value(name)}`)
      .join('<br>'),
  ];
}

function verdictsOn(figure) {
  return figure
    .verdicts()
    .map(({ text }) => text)
    .join('<br>');
}

function table(head, rows) {
  if (rows.length === 0) return '';
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What it was measured on and beside, once for all results that have it in common. */
function machines(results) {
  const places = new Map();
  for (const { bench, machine, peers } of results) {
    const key = `${machine}; ${Object.entries(peers)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`;
    places.set(key, [...(places.get(key) ?? []), bench]);
  }
  return [...places].map(
    ([key, names]) => `Measured on ${key}${places.size > 1 ? ` (${names.join(', ')})` : ''}.`,
  );
}
