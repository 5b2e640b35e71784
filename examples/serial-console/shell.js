import { blue, bold, dim, green, ground } from './colours.js';

const HOST = 'vm-42';
const FILES = {
  motd: 'Bytes in, bytes out. The rest is the terminal.',
  'serial.txt': 'No window size on this line: it is 80 x 24, or whatever you say.',
};

/** What there is to type: a sentence for `help`, and the answer. */
const COMMANDS = {
  help: [
    'this list',
    () => table(Object.entries({ ...COMMANDS, ...ENDS }).map(([name, [what]]) => [name, what])),
  ],
  uptime: [
    'how long it has been on',
    (_words, { bootedAt }) =>
      `up ${Math.floor((Date.now() - bootedAt) / 1000)} s, 1 user, load average: 0.00`,
  ],
  uname: ['what it is', () => `Linux ${HOST} 6.12.0-pretend x86_64`],
  ls: ['its files', () => Object.keys(FILES).join('  ')],
  cat: ['one of them', cat],
  echo: ['says it again', (words) => words.join(' ')],
  colours: ['all 216 of them', colours],
};
const ENDS = {
  exit: ['back to the login'],
  reboot: ['off and on'],
  poweroff: ['off'],
};

/** One login. Gives the command that ended it. */
export async function useShell({ write, readLine, bootedAt }) {
  write(`\nDebian GNU/Pretend 13 ${HOST} ttyS0\n\n`);
  let user = '';
  while (user === '') user = (await readLine(`${HOST} login: `)).trim();
  write(`${dim(`Welcome, ${user}. There is no password here.`)}\nType ${bold('help')}.\n\n`);
  const history = [];
  for (;;) {
    const line = await readLine(`${green(`${user}@${HOST}`)}:${blue('~')}$ `, history);
    const [name, ...words] = line.trim().split(/\s+/);
    if (Object.hasOwn(ENDS, name)) return name;
    if (Object.hasOwn(COMMANDS, name)) write(`${COMMANDS[name][1](words, { bootedAt })}\n`);
    else if (name !== '') write(`${name}: command not found\n`);
  }
}

function table(rows) {
  return rows.map(([name, what]) => `  ${bold(name.padEnd(10))}${what}`).join('\n');
}

function cat([name]) {
  if (name === undefined) return 'cat: which file?';
  return Object.hasOwn(FILES, name) ? FILES[name] : `cat: ${name}: No such file`;
}

/** The cube of 6 × 6 × 6, one side to a row. */
function colours() {
  const cells = (row) => Array.from({ length: 36 }, (_, column) => ground(16 + row * 36 + column, ' '));
  return Array.from({ length: 6 }, (_, row) => cells(row).join('')).join('\n');
}
