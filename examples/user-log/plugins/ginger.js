import { Router } from 'express';
import { assertName, Refusal } from '../refusal.js';

const MAX_USERS = 100;
const MAX_FULL_NAME = 64;
const GROUPS = ['administrators', 'operators', 'viewers'];

/** The host's users, in memory: what a Ginger plugin would serve. */
export function ginger() {
  const users = new Map();
  const add = (name, fullName, group) => {
    if (users.has(name)) throw new Refusal(409, `There is a user “${name}” already.`);
    if (users.size >= MAX_USERS) throw new Refusal(409, `This demo holds up to ${MAX_USERS} users.`);
    const user = { name, fullName, group };
    users.set(name, user);
    return user;
  };
  add('root', 'Superuser', 'administrators');
  add('ana', 'Ana Souza', 'operators');
  add('kenji', 'Kenji Ito', 'operators');
  add('marta', 'Marta Nowak', 'viewers');

  const router = Router();
  router.get('/users', (_request, response) => response.json([...users.values()]));
  router.post('/users', (request, response) => {
    const { name, fullName = '', group = 'viewers' } = request.body ?? {};
    request.sentence = `Create user “${name ?? ''}”`;
    assertName(name);
    if (typeof fullName !== 'string' || fullName.length > MAX_FULL_NAME)
      throw new Refusal(400, `A full name is text of up to ${MAX_FULL_NAME} characters.`);
    if (!GROUPS.includes(group)) throw new Refusal(400, `A group is one of ${GROUPS.join(', ')}.`);
    response.status(201).json(add(name, fullName, group));
  });
  router.delete('/users/:name', (request, response) => {
    const { name } = request.params;
    request.sentence = `Delete user “${name}”`;
    if (!users.has(name)) throw new Refusal(404, `There is no user “${name}”.`);
    if (name === 'root') throw new Refusal(409, 'The user “root” stays.');
    users.delete(name);
    response.status(204).end();
  });
  return { router };
}
