import { WebSocket } from 'ws';
import { connect, type Live } from '../../lib/client/index.ts';
import { afterwards } from './server.ts';

/** A page of a shop that writes down which orders it is told of. */
export class OrderPage {
  readonly ids: string[] = [];
  readonly epochs = new Set<string | undefined>();
  refreshes = 0;
  readonly live: Live;

  constructor(port: number) {
    const url = `ws://127.0.0.1:${port}/websockify`;
    this.live = connect({ url, WebSocket, reconnect: { minMs: 10, maxMs: 40 } });
    afterwards(() => this.live.close());
    this.live.on('resync', () => this.refreshes++);
    this.live.on('POST:/shop/orders', ({ data, replay, position }) => {
      this.epochs.add(position?.epoch);
      if (replay) this.refreshes++;
      else this.ids.push((data as { id: string }).id);
    });
  }
}
