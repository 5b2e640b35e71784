const ANSWER = JSON.stringify({ id: 'ada', plugin: 'ginger', created: true });
const HEADERS = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(ANSWER) };

/** A host app as small as they come: it knows its user, reads a small body of JSON and answers with one. */
export function app(request, response) {
  request.user = 'ada';
  if (request.method === 'GET') {
    response.writeHead(200, HEADERS).end(ANSWER);
    return;
  }
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => {
    request.body = JSON.parse(text);
    response.writeHead(201, HEADERS).end(ANSWER);
  });
}
