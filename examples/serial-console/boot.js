import { setTimeout as wait } from 'node:timers/promises';
import { dim, green } from './colours.js';

const KERNEL = [
  'Linux version 6.12.0-pretend',
  'Command line: console=ttyS0,115200n8',
  'Memory: 498112K/524288K available',
  'smp: Brought up 1 node, 2 CPUs',
  'clocksource: Switched to kvm-clock',
  'serial8250: ttyS0 is a 16550A',
  'virtio_blk: [vda] 8388608 blocks',
  'virtio_net: enp1s0 renamed from eth0',
  'EXT4-fs (vda1): mounted filesystem',
];
const SERVICES = ['Journal', 'Device Manager', 'Network', 'Time Sync', 'Serial Getty on ttyS0'];
const CLEAR = '\x1b[H\x1b[2J\x1b[3J';
/** Quick for a machine, slow enough to be seen. */
const LINE_MS = 40;

/** Says what a machine says while it starts. */
export async function boot(write) {
  const startedAt = performance.now();
  write(CLEAR);
  for (const line of KERNEL) {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(4);
    write(`${dim(`[ ${seconds}]`)} ${line}\n`);
    await wait(LINE_MS);
  }
  for (const service of SERVICES) {
    write(`[  ${green('OK')}  ] Started ${service}.\n`);
    await wait(LINE_MS);
  }
}
