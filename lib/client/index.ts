export type { Notification } from '../protocol/notification.ts';
export type { Position } from '../protocol/position.ts';
export { connect } from './connect.ts';
export type { ListenOptions } from './listeners.ts';
export type { ConnectOptions, Live, ReconnectOptions, State, WebSocketLike } from './live.ts';
