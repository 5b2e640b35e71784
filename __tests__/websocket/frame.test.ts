import { runAttached } from '../support/attached.ts';
import { until } from '../support/server.ts';
import { subscribe } from '../support/subscriber.ts';

test('a message of each length arrives as it was', async () => {
  const { live, port } = await runAttached();
  const wire = await subscribe(port);
  const { epoch } = live.position as { epoch: string };
  const around = `POST:/a ""\n@${epoch}:1\n`.length;
  for (const length of [60, 125, 126, 127, 65_535, 65_536, 65_537, 130_000]) {
    wire.messages.length = 0;
    const before = live.position?.offset ?? 0;
    const missing = length - around - (String(before + 1).length - 1);
    const data = 'ü'.repeat(Math.floor(missing / 2)) + 'x'.repeat(missing % 2);
    live.notify('POST:/a', data);
    await until(() => wire.messages.length > 0);
    expect(wire.messages[0]?.data.length).toBe(length);
    expect(wire.messages[0]?.isBinary).toBe(false);
    expect(wire.text()).toBe(`POST:/a ${JSON.stringify(data)}\n@${epoch}:${before + 1}\n`);
  }
});
