import { connect, createServer } from 'node:net';

/** Connections in turn to each of the ports, whoever comes: nothing is sticky. One that does not answer is passed over. */
export function balancer(ports) {
  let turn = 0;
  return createServer((client) => {
    client.on('error', () => {});
    const attempt = (left) => {
      if (left === 0 || client.destroyed) return client.destroy();
      const node = connect(ports[turn++ % ports.length], '127.0.0.1');
      const next = () => attempt(left - 1);
      node.once('error', next);
      node.once('connect', () => {
        node.off('error', next).on('error', () => client.destroy());
        client.on('close', () => node.destroy());
        node.on('close', () => client.destroy());
        node.pipe(client).pipe(node);
      });
    };
    attempt(ports.length);
  });
}
