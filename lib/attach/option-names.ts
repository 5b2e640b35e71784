import type { Names } from '../protocol/names.ts';
import type { IssueOptions } from '../proxy/issued-tokens.ts';
import type { AttachOptions, HttpForwardingOptions, ProxyOptions, PushServerOptions } from './options.ts';

export const ATTACH_NAMES: Names<AttachOptions> = {
  path: true,
  authorize: true,
  reauthorizeMs: true,
  origins: true,
  journal: true,
  serverTiming: true,
  windowSize: true,
  pushServer: true,
  proxy: true,
  methods: true,
  routes: true,
  routeData: true,
  topic: true,
  announceFailed: true,
  announceLog: true,
  audience: true,
  user: true,
  app: true,
  message: true,
  params: true,
  redact: true,
  trustProxy: true,
  skip: true,
  onRecord: true,
  write: true,
  maxMessageBytes: true,
  maxPatterns: true,
  maxMessagesPerSecond: true,
  maxConnections: true,
  maxConnectionsPerAddress: true,
  loopShare: true,
  stallTimeoutMs: true,
  handshakeTimeoutMs: true,
  closeTimeoutMs: true,
  onError: true,
};

export const PROXY_NAMES: Names<ProxyOptions> = {
  targets: true,
  authorize: true,
  user: true,
  connectTimeoutMs: true,
  idleTimeoutMs: true,
  maxBytes: true,
  maxDurationMs: true,
  socketDir: true,
  socketOwners: true,
  tokenSecret: true,
  issuedOnly: true,
  log: true,
};

export const FORWARDING_NAMES: Names<HttpForwardingOptions> = {
  prefix: true,
  target: true,
  authorize: true,
  answerTimeoutMs: true,
};

export const PUSH_SERVER_NAMES: Names<PushServerOptions> = { socketPath: true, mode: true };

export const ISSUE_NAMES: Names<IssueOptions> = { ttlMs: true, once: true, audience: true };
