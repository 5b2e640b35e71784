import { ReqcastError } from '../../lib/protocol/errors.ts';
import { compilePattern } from '../../lib/protocol/pattern.ts';
import { formatPosition, parsePosition } from '../../lib/protocol/position.ts';
import { assertTopic, MAX_TOPIC_LENGTH } from '../../lib/protocol/topic.ts';
import { parseClientLine, positionLine, topicLine } from '../../lib/protocol/wire.ts';

describe('a topic', () => {
  test.each(['POST:/ginger/users', 'TASK:/kimchi/vms/clone', 'DELETE:/', 'M-SEARCH:/ä/%20/日本'])(
    'may be %s',
    (topic) => {
      expect(() => assertTopic(topic)).not.toThrow();
    },
  );

  test.each([
    ['no method', '/ginger/users'],
    ['a small method', 'post:/ginger'],
    ['no path', 'POST:ginger'],
    ['a space', 'POST:/a b'],
    ['a line break', 'POST:/a\nb'],
    ['a control character', 'POST:/a\u0007'],
    ['the end marker', 'POST:/a//EOM//b'],
    ['half a character', 'POST:/\ud800'],
    ['too many characters', `POST:/${'a'.repeat(MAX_TOPIC_LENGTH)}`],
    ['no string', 7],
  ])('is refused with %s', (_name, topic) => {
    expect(() => assertTopic(topic)).toThrow(
      expect.objectContaining({
        code: 'INVALID_TOPIC',
        message: expect.stringContaining('POST:/ginger/users'),
      }),
    );
  });
});

describe('a pattern', () => {
  test.each([
    ['POST:/ginger/users', 'POST:/ginger/users', true],
    ['POST:/ginger/users', 'POST:/ginger/users/7', false],
    ['*:/ginger/users', 'DELETE:/ginger/users', true],
    ['POST:/*/users', 'POST:/ginger/users', true],
    ['POST:/*/users', 'POST:/a/b/users', false],
    ['POST:/*', 'POST:/a/b', false],
    ['*:/ginger/**', 'POST:/ginger', true],
    ['*:/ginger/**', 'POST:/ginger/users/7', true],
    ['*:/ginger/**', 'POST:/gingerale', false],
    ['*:/**', 'POST:/', true],
    ['*:/**', 'POST:/a/b/c', true],
    ['POST:/**', 'DELETE:/a', false],
    ['POST:/*/**', 'POST:/a', true],
    ['POST:/*/**', 'POST:/', false],
    ['POST:/*', 'POST:/', false],
  ])('%s names %s: %s', (pattern, topic, expected) => {
    expect(compilePattern(pattern)(topic)).toBe(expected);
  });

  test.each(['*', '**', 'POST:/a*', 'POST:/**/a', 'P*:/a', 'POST:/***', ''])('%s is refused', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(expect.objectContaining({ code: 'INVALID_PATTERN' }));
  });
});

describe('a position', () => {
  test('reads what it writes', () => {
    expect(parsePosition(formatPosition({ epoch: 'aZ_-9', offset: 12 }))).toEqual({
      epoch: 'aZ_-9',
      offset: 12,
    });
  });

  test.each([
    '',
    ':',
    'e',
    'e:',
    'e:-1',
    'e:01',
    'e:1.5',
    'é:1',
    'e:99999999999999999',
    `${'e'.repeat(65)}:1`,
  ])('%p is none', (text) => {
    expect(parsePosition(text)).toBeUndefined();
  });
});

describe('the lines of reqcast.v1', () => {
  test('are written as PROTOCOL.md says', () => {
    const position = { epoch: 'e', offset: 7 };
    expect(positionLine(position)).toBe('@e:7\n');
    expect(positionLine(position, 'replayed')).toBe('@e:7 replayed\n');
    expect(positionLine(position, 'resync', 2500)).toBe('@e:7 resync 2500\n');
    expect(topicLine('POST:/a', undefined, 'x1')).toBe('~x1\nPOST:/a\n');
    expect(topicLine('POST:/a')).toBe('POST:/a\n');
    expect(topicLine('POST:/a', JSON.stringify({ id: 'x\ny' }))).toBe('POST:/a {"id":"x\\ny"}\n');
  });

  test.each([
    ['heartbeat', { kind: 'heartbeat' }],
    ['+*:/a', { kind: 'add', pattern: '*:/a' }],
    ['-*:/a', { kind: 'remove', pattern: '*:/a' }],
    ['since -', { kind: 'since' }],
    ['since e:7', { kind: 'since', position: { epoch: 'e', offset: 7 } }],
    ['since nonsense', { kind: 'since', position: { epoch: '-', offset: 0 } }],
    ['hello', undefined],
    ['', undefined],
  ])('%p is read', (line, expected) => {
    expect(parseClientLine(line)).toEqual(expected);
  });
});

test('an error keeps its code and its cause', () => {
  const cause = new Error('below');
  expect(new ReqcastError('CLOSED', 'text', { cause })).toMatchObject({
    name: 'ReqcastError',
    code: 'CLOSED',
    cause,
  });
});
