/** What a handler throws to answer with a 4xx and a sentence. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** @throws Refusal 400 for a name that is not one */
export function assertName(name) {
  if (typeof name !== 'string' || name === '') throw new Refusal(400, 'A name is needed.');
  if (!NAME.test(name))
    throw new Refusal(400, 'A name is up to 32 lower-case letters, digits and hyphens, a letter first.');
}

/** Express's last handler: every error leaves as JSON, and the User Log tells the reason. */
export function answerError(error, request, response, next) {
  if (response.headersSent) return next(error);
  const status = error.status >= 400 && error.status < 500 ? error.status : 500;
  const reason = reasonOf(error, status);
  if (status === 500) console.error(error);
  request.reason = reason;
  response.status(status).json({ error: reason });
}

function reasonOf(error, status) {
  if (status === 500) return 'Something went wrong on the server.';
  return error.type === 'entity.parse.failed' ? 'The body is not JSON.' : error.message;
}
