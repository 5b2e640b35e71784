import { readdirSync, readFileSync } from 'node:fs';

/** The process and all that it has forked and not yet seen end: websockify forks for each connection. */
function family(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.flatMap(family)];
}

/** Microseconds that they have been on a core so far, in all of their threads. */
export function cpuOf(pid) {
  const threads = family(pid).flatMap((one) => readdirSync(`/proc/${one}/task`).map((id) => [one, id]));
  const nanoseconds = threads.map(([one, id]) =>
    Number(readFileSync(`/proc/${one}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000;
}

/** Megabytes of memory that they hold; what they share is counted once. */
export function memoryOf(pid) {
  const kilobytes = family(pid).map((one) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))[1]),
  );
  return (kilobytes.reduce((sum, each) => sum + each, 0) * 1024) / 1e6;
}
