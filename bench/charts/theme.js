/** The colours of the two schemes in which GitHub shows a README. Words have a contrast of 4.5 or more, shapes of 3. */
export const THEMES = {
  light: {
    paper: '#ffffff',
    edge: '#d1d9e0',
    ink: '#1f2328',
    muted: '#59636e',
    grid: '#e3e8ed',
    ours: '#0969da',
    ink_ours: '#0969da',
    peer: '#8b949e',
    bad: '#cf222e',
  },
  dark: {
    paper: '#0d1117',
    edge: '#3d444d',
    ink: '#f0f6fc',
    muted: '#9198a1',
    grid: '#262c36',
    ours: '#388bfd',
    ink_ours: '#58a6ff',
    peer: '#6e7681',
    bad: '#ff7b72',
  },
};

/** The classes that the charts use. */
export function style({ paper, edge, ink, muted, grid, ours, ink_ours, peer, bad }) {
  return `
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: ${ink}; }
.strong { font-weight: 600; }
.muted { fill: ${muted}; }
.name-ours { fill: ${ink_ours}; font-weight: 600; }
.bad { fill: ${bad}; }
.paper { fill: ${paper}; stroke: ${edge}; }
.grid { stroke: ${grid}; }
.axis { stroke: ${muted}; }
.bar { fill: ${peer}; }
.bar-ours { fill: ${ours}; }
.none { fill: none; stroke: ${bad}; stroke-dasharray: 4 4; }
.spread { stroke: ${ink}; stroke-width: 1.5; }
.halo { stroke: ${paper}; stroke-width: 4; }
.path { fill: none; stroke: ${peer}; stroke-width: 1.75; }
.path-ours { fill: none; stroke: ${ours}; stroke-width: 3; }
.dot { fill: ${peer}; }
.dot-ours { fill: ${ours}; }
.leader { stroke: ${muted}; stroke-width: 0.75; }
`;
}
