export { attach } from './attach/attach.ts';
export type { Attachment, AttachmentStats, KoaContext, Listener, Task, Tunnel } from './attach/attachment.ts';
export { authorizeWith, type Middleware } from './attach/authorize-with.ts';
export type {
  AttachOptions,
  Authorization,
  Authorize,
  HttpForwardingOptions,
  ProxyOptions,
  PushServerOptions,
  Stage,
  Targets,
} from './attach/options.ts';
export type { Draft, Entry, Outcome, RequestRecord, TunnelRecord } from './journal/entry.ts';
export { type FileJournalOptions, fileJournal } from './journal/file/file-journal.ts';
export { type HostJournalOptions, hostJournal } from './journal/host/host-journal.ts';
export type { Journal, JournalSink, JournalStats } from './journal/journal.ts';
export { type MemoryJournalOptions, memoryJournal } from './journal/memory.ts';
export type { Query } from './journal/query.ts';
export { queryEntries } from './journal/query-entries.ts';
export { CloseCode } from './protocol/close-codes.ts';
export { type ErrorCode, ReqcastError } from './protocol/errors.ts';
export type { Notification } from './protocol/notification.ts';
export type { Position } from './protocol/position.ts';
export type { IssueOptions, TokenSecret } from './proxy/issued-tokens.ts';
export type { HttpAddress, Target, TargetTable } from './proxy/target.ts';
export { type TokenFile, tokenFile } from './proxy/token-file.ts';
export type { MutableRecord, RequestOptions } from './request/options.ts';
export type { Connection } from './websocket/destination.ts';
