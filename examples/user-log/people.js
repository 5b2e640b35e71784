/** Who one can act as. A demo login: there is no password, and nothing to protect. */
export const PEOPLE = ['root', 'ana', 'kenji'];

/** The demo user of a request: the `X-Demo-User` header, if it names one. */
export function demoUser(request) {
  const name = request.headers['x-demo-user'];
  return PEOPLE.includes(name) ? name : undefined;
}
