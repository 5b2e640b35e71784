import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { tokenFile } from '../../lib/proxy/token-file.ts';
import { parseTokenLine } from '../../lib/proxy/token-line.ts';
import { temporaryDirectory } from '../support/directory.ts';

function open(path: string) {
  const file = tokenFile(path);
  const faults: string[] = [];
  const find = (text: string, name?: string) =>
    file.find({ text, name }, ({ code, message }) => faults.push(`${code} ${message}`));
  return { find, faults };
}

const at = (port: number) => ({ host: 'localhost', port });

describe('a line', () => {
  test.each([
    ['vm1: localhost:5901', 'vm1', at(5901)],
    ['  vm1:\tlocalhost:5901\r', 'vm1', at(5901)],
    ['a:b: 10.0.0.1:80', 'a:b', { host: '10.0.0.1', port: 80 }],
    ['vm1: [::1]:5900', 'vm1', { host: '::1', port: 5900 }],
    ['vm1: fe80::1:5900', 'vm1', { host: 'fe80::1', port: 5900 }],
    ['dm0tNDI: unix_socket:/run/vms/42.sock', 'dm0tNDI', { socketPath: '/run/vms/42.sock' }],
    ['vm1: unix_socket:/run/a:b c', 'vm1', { socketPath: '/run/a:b c' }],
  ])('%j leads %s to its target', (line, token, target) => {
    expect(parseTokenLine(line)).toEqual({ token, target });
  });

  test.each(['', '   ', '# vm1: localhost:1', '  # indented'])('%j says nothing', (line) => {
    expect(parseTokenLine(line)).toBeUndefined();
  });

  test.each([
    'vm1',
    'vm1 localhost:5901',
    'vm1:localhost:5901',
    ': localhost:5901',
    'vm1: localhost',
    'vm1: :5901',
    'vm1: localhost:port',
    'vm1: localhost:0',
    'vm1: localhost:65536',
    'vm1: a b:1',
    'vm1: unix_socket:run/x',
    'vm1: unix_socket:',
  ])('%j is wrong', (line) => {
    expect(parseTokenLine(line)).toEqual({ problem: expect.any(String) });
  });
});

describe('a token file', () => {
  test('leads tokens to targets, as they are written or as the name they stand for', async () => {
    const path = join(temporaryDirectory(), 'tokens');
    writeFileSync(
      path,
      '# consoles\n\nvm-42: localhost:42\ndm0tNDM: unix_socket:/run/43\nvm-42: localhost:44',
    );
    const { find, faults } = open(path);
    expect(await find('vm-42')).toEqual(at(44));
    expect(await find('dm0tNDI', 'vm-42')).toEqual(at(44));
    expect(await find('dm0tNDM', 'vm-43')).toEqual({ socketPath: '/run/43' });
    expect(await find('vm-43')).toBeUndefined();
    expect(faults).toEqual([]);
  });

  test('is read again when it changes, is replaced, goes and comes', async () => {
    const path = join(temporaryDirectory(), 'tokens');
    writeFileSync(path, 'vm: localhost:1');
    const { find, faults } = open(path);
    expect(await find('vm')).toEqual(at(1));
    for (let port = 2; port < 9; port++) {
      // The same length, and within one tick of the file system's clock.
      writeFileSync(path, `vm: localhost:${port}`);
      expect(await find('vm')).toEqual(at(port));
    }
    writeFileSync(`${path}.new`, 'vm: localhost:9');
    renameSync(`${path}.new`, path);
    expect(await find('vm')).toEqual(at(9));
    rmSync(path);
    expect(await find('vm')).toBeUndefined();
    expect(await find('vm')).toBeUndefined();
    expect(faults).toEqual([expect.stringMatching(/^TOKEN_FILE_INVALID .*ENOENT/)]);
    writeFileSync(path, 'vm: localhost:10');
    expect(await find('vm')).toEqual(at(10));
  });

  test('is not read again when it has not changed', async () => {
    const path = join(temporaryDirectory(), 'tokens');
    writeFileSync(path, 'wrong\nvm: localhost:1');
    utimesSync(path, 1e9, 1e9);
    const { find, faults } = open(path);
    for (let i = 0; i < 3; i++) expect(await find('vm')).toEqual(at(1));
    expect(faults.length).toBe(1);
  });

  test('serves its right lines, and tells the wrong ones once for each version', async () => {
    const path = join(temporaryDirectory(), 'tokens');
    writeFileSync(path, 'one: localhost:1\ns3cret localhost:2\nthree: localhost:3\nfour: x\n');
    const { find, faults } = open(path);
    expect(await find('one')).toEqual(at(1));
    expect(await find('three')).toEqual(at(3));
    expect(faults.map((fault) => /tokens:\d+/.exec(fault)?.[0])).toEqual(['tokens:2', 'tokens:4']);
    expect(faults.join()).not.toContain('s3cret');
    appendFileSync(path, 'five: localhost:5\n');
    expect(await find('five')).toEqual(at(5));
    expect(faults.length).toBe(4);
  });

  test('tells some of very many wrong lines, and how many they are', async () => {
    const path = join(temporaryDirectory(), 'tokens');
    writeFileSync(path, 'wrong\n'.repeat(5000));
    const { find, faults } = open(path);
    await find('vm');
    expect(faults.length).toBe(11);
    expect(faults[10]).toContain('5000 lines');
  });

  test('that is too large, or no file, leads nowhere and does not hang', async () => {
    const directory = temporaryDirectory();
    const large = open(join(directory, 'large'));
    writeFileSync(join(directory, 'large'), 'vm: localhost:1\n'.repeat(70_000));
    expect(await large.find('vm')).toBeUndefined();
    expect(large.faults).toEqual([expect.stringContaining('larger than')]);
    execFileSync('mkfifo', [join(directory, 'fifo')]);
    expect(await open(join(directory, 'fifo')).find('vm')).toBeUndefined();
  });

  test('answers many at once', async () => {
    const path = join(temporaryDirectory(), 'tokens');
    writeFileSync(path, 'vm: localhost:1');
    const { find } = open(path);
    const found = await Promise.all(Array.from({ length: 500 }, () => find('vm')));
    expect(found.every((target) => target && 'port' in target)).toBe(true);
  });

  test('that is written while others ask is seen by who asks after it was', async () => {
    const path = join(temporaryDirectory(), 'tokens');
    writeFileSync(path, '');
    const { find } = open(path);
    const before = find('vm');
    writeFileSync(path, 'vm: localhost:1');
    expect(await find('vm')).toEqual(at(1));
    await before;
  });
});

describe('a directory of token files', () => {
  test('is all its files, by name, without hidden ones, directories and what is no file', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'b'), 'vm: localhost:2');
    writeFileSync(join(directory, 'a'), 'vm: localhost:1\na: localhost:11');
    writeFileSync(join(directory, '.a.swp'), 'hidden: localhost:1');
    mkdirSync(join(directory, 'folder'));
    symlinkSync('nowhere', join(directory, 'dangling'));
    const { find, faults } = open(directory);
    expect(await find('vm')).toEqual(at(2));
    expect(await find('a')).toEqual(at(11));
    expect(await find('hidden')).toBeUndefined();
    rmSync(join(directory, 'b'));
    expect(await find('vm')).toEqual(at(1));
    writeFileSync(join(directory, 'c'), 'wrong\nnew: localhost:3');
    expect(await find('new')).toEqual(at(3));
    expect(faults).toEqual([expect.stringContaining(`${join(directory, 'c')}:1`)]);
  });

  test('as WoK writes it: a file for each token, which holds its base64url', async () => {
    const directory = temporaryDirectory();
    const encoded = Buffer.from('woknotifications2').toString('base64url');
    writeFileSync(join(directory, 'woknotifications2'), `${encoded}: unix_socket:/run/woknotifications`);
    const { find } = open(directory);
    expect(await find(encoded, 'woknotifications2')).toEqual({ socketPath: '/run/woknotifications' });
  });
});

test.each([undefined, 7, ''])('tokenFile(%p) throws', (path) => {
  expect(() => tokenFile(path as string)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
});

test('a line of which a part is there yet does not lead to a part of its port', async () => {
  const path = join(temporaryDirectory(), 'tokens');
  writeFileSync(path, 'vm1: localhost:59');
  const { find, faults } = open(path);
  const found = find('vm1');
  setTimeout(() => appendFileSync(path, '01\n'), 30);
  expect(await found).toEqual(at(5901));
  expect(faults).toEqual([]);
});
